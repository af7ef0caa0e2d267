"""RPC: `@answers(CALL)` answers a declared call over nameko's wire format, and survives malformed calls.

A call is acknowledged when it starts, so it runs at most once (twice only if the acknowledgement gets lost on its way
to the broker). Its caller hears by the deadline or not at all.
"""

import inspect
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import amqp
import eventlet
import orjson
import pymongo
from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR, Entrypoint, SharedExtension
from pymongo.errors import PyMongoError, ServerSelectionTimeoutError

from services.chassis import context, metrics
from services.chassis.answers import Answers, Claim
from services.chassis.bus import RPC_EXCHANGE, BusDown, Delivery, Intake, Publisher
from services.chassis.replies import refusal_for, told
from services.chassis.rows import database
from services.contracts.calling import Call, calls_of
from services.contracts.errors import Invalid, NotFound, Refusal, TooMany, Unavailable, Unexpected
from services.ground import clock, logs
from services.ground.logs import log
from services.ground.tokens import Caller, Tokens
from services.ground.work import TRACEPARENT, Work

UNCLEAR = (Unavailable, Unexpected)  # something may have been saved: the call is neither answered nor run again


def queue_of(capability: str) -> str:
    """The name of the queue for the calls of a capability."""
    return f"rpc-{capability}"


def declare_calls(channel: amqp.Channel, capability: str) -> None:
    """Declare the queue for the calls of a capability."""
    channel.queue_declare(queue_of(capability), durable=True, auto_delete=False)
    channel.queue_bind(queue_of(capability), RPC_EXCHANGE, f"{capability}.*")


class Calls(SharedExtension):
    """The RPC queue of one capability; it answers `ping` by itself."""

    intake = Intake()
    publisher = Publisher()

    def __init__(self) -> None:
        super().__init__()
        self._methods: dict[str, Rpc] = {}

    def setup(self) -> None:
        settings, service = self.container.config["settings"], self.container.service_name.partition(".")[0]
        self.tokens = Tokens(settings.jwks_file)
        self.given = Answers(database(settings, service), service)
        self.queue = queue_of(self.container.service_name)
        # Last, so that an answered ping means that the handlers' queues are consumed too.
        declare = partial(declare_calls, capability=self.container.service_name)
        self.intake.consume(self.queue, declare, self._receive, last=True)

    def answers(self, method: "Rpc") -> None:
        """Route the calls for one method to it."""
        self._methods[method.asked.method] = method

    def _receive(self, delivery: Delivery) -> None:
        if not delivery.ack():
            return  # the broker will give it to somebody else, or to us again
        name = delivery.key.rpartition(".")[2]
        deadline = delivery.headers.get("nameko.deadline")
        if not isinstance(delivery.properties.get("reply_to"), str):
            log.warning("call without a way back dropped", method=delivery.key)
        elif isinstance(deadline, int | float) and deadline < clock.unmoved_ns() / 1e9:
            log.info("expired call dropped", method=delivery.key)
        elif name == "ping":
            self.reply(delivery, told(delivery.key, self._pong(), None))
        else:
            self._dispatch(delivery, name)

    def _pong(self) -> dict[str, Any]:
        store = self.intake.probed()
        ready = store and not self.intake.braked
        return {"capability": self.container.service_name, "ready": ready, "store": store}

    def _dispatch(self, delivery: Delivery, name: str) -> None:
        try:
            method = self._methods.get(name)
            if method is None:
                raise NotFound("no_such_method", f"There is no method {delivery.key}.")
            method.call(delivery)
        except Exception as error:  # our own faults too: the call is acknowledged, and its caller waits
            if not isinstance(error, Refusal | PyMongoError):
                log.error("call failed", method=delivery.key, exc_info=error)
            self.reply(delivery, told(delivery.key, None, error))

    def reply(self, delivery: Delivery, body: bytes) -> None:
        """Send the answer. One that can't be sent is dropped: the caller gives up at its deadline."""
        try:
            self.publisher.post(
                RPC_EXCHANGE,
                delivery.properties["reply_to"],
                body,
                confirm=False,
                content_type="application/json",
                correlation_id=delivery.properties.get("correlation_id") or "",
            )
        except BusDown as down:
            log.warning("answer lost", method=delivery.key, error=logs.kind(down))


class Rpc(Entrypoint):
    """The entrypoint behind `@answers`.

    The method gets the arguments that the call declares, loaded, and the `caller` if the call needs a token. Such a
    call runs once if it has an idempotency key.
    """

    calls = Calls()

    def __init__(self, asked: Call) -> None:
        self.asked = asked
        super().__init__()

    def setup(self) -> None:
        self.calls.answers(self)

    def stop(self) -> None:
        self.calls.intake.silence()

    def call(self, delivery: Delivery) -> None:
        """Check the caller and the arguments, run the method, and answer. Raises a Refusal if a check fails."""
        given = _given(delivery)
        kwargs = self.asked.read(given)
        claim: Claim | None = None
        if self.asked.signed_in:
            kwargs["caller"] = caller = self._caller(delivery)
            if key := delivery.text("nameko.idempotency_key"):
                with pymongo.timeout(self.asked.seconds):
                    asked = given | {"if": delivery.text("nameko.expected_versions")}
                    claimed = self.calls.given.claim(caller.seal or caller.id, key, delivery.key, asked)
                if isinstance(claimed, bytes):
                    self.calls.reply(delivery, claimed)
                    return
                claim = claimed
        self.container.work(
            self,
            kwargs,
            context_data={
                "correlation_id": delivery.text("nameko.correlation_id"),
                "log": {"method": delivery.key},
                "traced": Work(delivery.key, "server", delivery.text(TRACEPARENT), {"rpc.system": "nameko"}),
                "store_has": self.asked.seconds,
                "expected": _expected(delivery.text("nameko.expected_versions")),
            },
            then=partial(self._finish, delivery, time.monotonic(), claim),
        )

    def _caller(self, delivery: Delivery) -> Caller:
        """The caller whom the token names. The gateway adds the network, and the language if the token has none."""
        caller, network = self.calls.tokens.caller(delivery.text("nameko.token")), delivery.text("nameko.network")
        language = delivery.text("nameko.language")
        if network or (language and not caller.language):
            return replace(caller, network=network, language=caller.language or language or "")
        return caller

    def _finish(
        self, delivery: Delivery, begun: float, claim: Claim | None, result: Any, error: Exception | None
    ) -> None:
        if error is not None and not isinstance(error, Refusal):
            log.error("call failed", method=delivery.key, exc_info=error)
        body = told(delivery.key, result, error)
        if claim is not None:
            # In a greenlet of its own, as this one may have used up its time with the store.
            eventlet.spawn(self._keep, claim, body, error, context.unlinked()).wait()
        self.calls.reply(delivery, body)
        took, outcome = time.monotonic() - begun, type(error).__name__ if error else "ok"
        metrics.call(delivery.key, outcome).observe(took)
        # Under the request's id: the work may have cut itself off from it, and its later lines then have another id.
        asked = delivery.text("nameko.correlation_id")
        log.info("answered", method=delivery.key, correlation_id=asked, outcome=outcome, ms=round(took * 1000, 1))

    def _keep(self, claim: Claim, body: bytes, error: BaseException | None, unlinked: bool) -> None:
        try:
            if isinstance(error, ServerSelectionTimeoutError | TooMany):  # nothing was done; later it may be
                self.calls.given.forget(claim)
            elif error is None or not isinstance(refusal_for(error), UNCLEAR):
                self.calls.given.keep(claim, body, unlinked=unlinked)
        except PyMongoError as problem:
            log.error("answer not kept", error=logs.kind(problem))


def _given(delivery: Delivery) -> Any:
    try:
        return orjson.loads(delivery.body)["kwargs"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise Invalid("malformed", "A call is a JSON object with args and kwargs.") from None


def _expected(given: str | None) -> frozenset[int] | None:
    return None if given is None else frozenset(int(each) for each in given.split(",") if each.isdecimal())


answers: Callable[[Call], Callable[[Callable[..., Any]], Callable[..., Any]]] = Rpc.decorator


def contradictions(capabilities: Iterable[type]) -> Iterator[str]:
    """Sentences about each declared call that these capabilities do not answer exactly once and as declared."""
    for capability in capabilities:
        name: str = capability.name  # type: ignore[attr-defined]
        found = list(_answered(capability))
        for call in calls_of(name):
            methods = [method for method, answered in found if answered is call]
            if len(methods) != 1:
                yield f"{call.target} must be answered by one method, not by {' and '.join(methods) or 'none'}."
        for method, call in found:
            wanted = {*call.takes, *(["caller"] if call.signed_in else [])}
            takes = inspect.signature(getattr(capability, method)).parameters.keys() - {"self"}
            if call.capability != name:
                yield f"{name}.{method} answers {call.target}, which is another capability's."
            elif takes != wanted:
                yield f"{name}.{method} must take {sorted(wanted)}, as {call.target} declares, not {sorted(takes)}."


def _answered(capability: type) -> Iterator[tuple[str, Call]]:
    for name, method in inspect.getmembers(capability, inspect.isfunction):
        for each in getattr(method, ENTRYPOINT_EXTENSIONS_ATTR, ()):
            if isinstance(each, Rpc):
                yield name, each.asked
