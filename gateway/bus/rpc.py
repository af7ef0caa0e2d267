"""RPC to the services: one client and one reply queue per worker, a deadline per call, a guard per capability."""

import functools
import itertools
import time
import uuid
from typing import Any

import amqp
import gevent
import orjson
from flask import current_app, g
from gevent.event import AsyncResult
from prometheus_client import Histogram

from gateway.bus import frames
from gateway.bus.guard import Guard, Limits
from gateway.bus.link import Link, LinkDown, ear
from gateway.door import audit, languages
from services.contracts.calling import Call
from services.contracts.errors import Refusal, Unavailable, Unexpected, revive
from services.ground import clock, tracing
from services.ground.logs import log
from services.ground.work import TRACEPARENT

EXCHANGE = "nameko-rpc"
NAMEKO = {"rpc.system": "nameko"}

SECONDS = Histogram("hearth_gateway_rpc_seconds", "Time until a service answered.", ["capability", "outcome"])


@functools.cache  # few: only declared names get here, never a client's text
def _seconds(capability: str, outcome: str) -> Histogram:
    return SECONDS.labels(capability, outcome)


def call(asked: Call, /, **kwargs: Any) -> Any:
    """Call a service on behalf of the present caller. Raises its refusal, or Unavailable if no answer comes in time.

    `kwargs` are the arguments of the call, JSON-ready except for aware datetimes. The answer is plain JSON.
    """
    client: Client = current_app.extensions["rpc"]
    return client.call(
        asked.capability,
        asked.method,
        kwargs,
        until=g.until,
        token=g.token,
        correlation_id=g.correlation_id,
        idempotency_key=g.idempotency_key,
        expected_versions=g.expected_versions,
        network=audit.asked_from(),
        language=languages.asked(),
    )


def ask(client: "Client", asked: Call, purpose: str, within: float, **kwargs: Any) -> Any:
    """The answer to a call that a worker makes for nobody, within so many seconds. The logs name its `purpose`."""
    return client.call(
        asked.capability,
        asked.method,
        kwargs,
        until=time.monotonic() + within,
        token=None,
        correlation_id=purpose,
        idempotency_key=None,
        expected_versions=None,
        network=None,
        language=None,
    )


def _unavailable(says: str) -> Unavailable:
    return Unavailable("unavailable", f"{says} Please try again in a moment.")


def _late() -> Unavailable:
    return _unavailable("The platform did not answer in time.")


class Client:
    """Matches replies to the greenlets that wait for them.

    Requests are transient and `mandatory`: if no service takes one, its caller learns this at once.
    A reply that comes after the deadline is dropped.
    """

    def __init__(self, link: Link, timeout: float, limits: Limits) -> None:
        self._link = link
        self._timeout = timeout
        self._limits = limits
        self._guards: dict[str, Guard] = {}
        self._waiting: dict[str, AsyncResult] = {}
        self._numbers = itertools.count(1)
        self._message: functools.partial[bytes] | None = None
        link.serve(self)

    @property
    def up(self) -> bool:
        """True while calls can be made."""
        return self._link.up

    def opened(self, connection: amqp.Connection) -> None:
        replies = f"gateway.{uuid.uuid4()}"
        channel = ear(connection, replies, [(EXCHANGE, replies)], self._replied)
        channel.events["basic_return"].add(self._returned)
        self._message = functools.partial(
            frames.call, channel.channel_id, EXCHANGE, reply_to=replies, frame_max=connection.frame_max
        )

    def lost(self) -> None:
        self._message = None
        waiting, self._waiting = self._waiting, {}
        for result in waiting.values():
            result.set_exception(_unavailable("The connection to the platform's bus was lost."))

    def call(
        self,
        capability: str,
        method: str,
        kwargs: dict[str, Any],
        *,
        until: float,
        token: str | None,
        correlation_id: str,
        idempotency_key: str | None,
        expected_versions: str | None,
        network: str | None,
        language: str | None,
    ) -> Any:
        """Make a call and wait for the answer, up to the limit of a call but not beyond `until` (monotonic seconds)."""
        began = time.monotonic()
        outcome = "ok"
        target = f"{capability}.{method}"
        try:
            with tracing.asking(target, NAMEKO), self._guard(capability) as guard:
                headers = {
                    "nameko.correlation_id": correlation_id,
                    "nameko.token": token,
                    "nameko.idempotency_key": idempotency_key,
                    "nameko.expected_versions": expected_versions,
                    "nameko.network": network,
                    "nameko.language": language,
                    TRACEPARENT: tracing.traceparent(),
                }
                return _read(target, self._ask_guarded(guard, target, kwargs, headers, until - began))
        except Refusal as refusal:
            outcome = type(refusal).__name__
            raise
        finally:
            _seconds(capability, outcome).observe(time.monotonic() - began)

    def ping(self, capability: str, timeout: float) -> Any:
        """A capability's report on itself, within `timeout` seconds. It is asked even while it rests."""
        target = f"{capability}.ping"
        try:
            return _read(target, self._ask(target, {}, {"nameko.correlation_id": "readyz"}, timeout))
        except gevent.Timeout:
            raise _late() from None

    def _ask_guarded(
        self, guard: Guard, target: str, kwargs: dict[str, Any], headers: dict[str, str | None], left: float
    ) -> bytes:
        if left <= 0:
            raise _unavailable("The request took too long to arrive.")
        try:
            reply = self._ask(target, kwargs, headers, min(left, self._timeout))
        except gevent.Timeout:
            if left >= self._timeout:  # a call with less time than usual proves nothing about the capability
                guard.missed()
            raise _late() from None
        guard.answered()
        return reply

    def _guard(self, capability: str) -> Guard:
        guard = self._guards.get(capability)
        if guard is None:
            guard = self._guards[capability] = Guard(capability, self._limits)
        return guard

    def _ask(self, target: str, kwargs: dict[str, Any], headers: dict[str, str | None], timeout: float) -> bytes:
        """The reply, unparsed. Raises Unavailable if the call can't be made, gevent.Timeout if no reply comes."""
        if self._message is None or not self._link.up:
            raise _unavailable("The platform's bus can't be reached.")
        number = str(next(self._numbers))
        said: frames.Headers = {name: value for name, value in headers.items() if value is not None}
        said["nameko.deadline"] = clock.unmoved_ns() / 1e9 + timeout
        body = orjson.dumps({"args": [], "kwargs": kwargs}, option=orjson.OPT_UTC_Z)
        expiration = str(int(timeout * 1000))
        result = self._waiting[number] = AsyncResult()
        try:
            self._link.post(self._message(target, body, headers=said, correlation_id=number, expiration=expiration))
            reply: bytes = result.get(timeout=timeout)
            return reply
        except LinkDown:
            raise _unavailable("The platform's bus does not take messages.") from None
        finally:
            self._waiting.pop(number, None)

    def _replied(self, message: amqp.Message) -> None:
        result = self._waiting.pop(message.properties.get("correlation_id"), None)
        if result is not None:
            result.set(message.body)

    def _returned(self, _error: Exception, _exchange: str, _key: str, message: amqp.Message) -> None:
        result = self._waiting.pop(message.properties.get("correlation_id"), None)
        if result is not None:
            result.set_exception(_unavailable("The part of the platform that answers this is not running."))


def _read(target: str, body: bytes) -> Any:
    try:
        reply = orjson.loads(body)
        error = reply["error"]
        if error is None:
            return reply["result"]
        refusal = revive(error)
    except (ValueError, KeyError, TypeError, AttributeError):
        log.error("reply is unreadable", method=target)
        raise Unexpected("unexpected", "Something went wrong on our side.") from None
    raise refusal
