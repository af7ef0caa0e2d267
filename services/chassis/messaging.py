"""Messages: `@on` hears them, with retries and a place for the dead.

A handler is called with just the fields of the message that its parameters name, and with the envelope if it has a
parameter `message`. It may be called twice for one message, and messages come in any order: its effect must bear both.
"""

import inspect
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import orjson
from marshmallow import ValidationError
from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR, Entrypoint

from services.chassis import metrics
from services.chassis.bus import DEAD, BusDown, Delivery, Intake, Publisher
from services.chassis.bus.topology import declare_handler, declare_retries, delay_name, retire_handler, retry_exchange
from services.chassis.rows import is_absent
from services.chassis.rpc import Calls
from services.contracts.catalogue import CATALOGUE, CONTENT_TYPE, Message, UndeclaredMessage
from services.contracts.errors import Conflict, NotYet, Refusal, Unavailable
from services.ground import clock, logs
from services.ground.logs import log
from services.ground.work import TRACEPARENT, Work

Handler = TypeVar("Handler", bound=Callable[..., Any])
ATTEMPT = "x-hearth-attempt"
TRANSIENT = (NotYet, Conflict, Unavailable)


@dataclass(frozen=True)
class Envelope:
    """The facts about a message besides its body. `sequence` counts the announcements about its subject."""

    id: str
    type: str
    subject: str
    at: datetime
    sequence: int
    correlation_id: str | None
    traceparent: str | None = None

    @property
    def tells_the_day(self) -> bool:
        """True if the time is a bare day, perhaps on purpose."""
        return (self.at.hour, self.at.minute, self.at.second, self.at.microsecond) == (0, 0, 0, 0)

    @property
    def lag(self) -> float | None:
        """Seconds since its time; None if that is a bare day."""
        return None if self.tells_the_day else (clock.now() - self.at).total_seconds()


class Unreadable(logs.Plain):
    """The delivery is not a message of the catalogue, or does not belong in this queue."""


def unpack(body: bytes) -> tuple[Envelope, Message, dict[str, Any]]:
    """Envelope, message and body of a CloudEvent in structured JSON mode. Raises Unreadable."""
    try:
        event = orjson.loads(body)
        message = CATALOGUE[event["type"]]
        found = Envelope(
            id=_text(event["id"]),
            type=message.key,
            subject=_text(event.get("subject", "")),
            at=datetime.fromisoformat(event["time"]).astimezone(UTC),
            sequence=int(event.get("sequence", 0)),
            correlation_id=event.get("correlationid") and _text(event["correlationid"]),
            traceparent=_trace(event.get(TRACEPARENT)),
        )
        return found, message, message.read(event["data"])
    except ValidationError as error:
        raise Unreadable(f"the body does not fit in {_fields(error)}") from error
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, OverflowError) as error:
        raise Unreadable(logs.kind(error)) from error


def _fields(error: ValidationError) -> str:
    """The names of the wrong fields. They come from our own shapes, which ignore all other fields."""
    return ", ".join(sorted(map(str, error.messages_dict)))


def reason(error: BaseException) -> str:
    """The reason written on a failed message: the kind and place of the error, without its words."""
    return " at ".join(filter(None, (logs.kind(error), logs.where(error))))[:1000]


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 200:
        raise TypeError(f"expected text, not {type(value).__name__}")
    return value


def _trace(value: Any) -> str | None:
    return value if isinstance(value, str) and len(value) <= 200 else None  # no reason to refuse a message


def _now(found: Envelope | None) -> str:
    """The present moment, or only the day if the message tells only the day, so that its copy tells no more."""
    now = clock.now()
    return now.date().isoformat() if found is not None and found.tells_the_day else now.isoformat()


class On(Entrypoint):
    """The entrypoint behind `@on`: one handler, one effect, one durable quorum queue `<capability>.<queue>`.

    `retired` are the former names of the queue. Messages left in those queues are handled; no more arrive there.
    """

    intake = Intake()
    publisher = Publisher()
    calls = Calls()  # so that a capability that only hears can be pinged, too

    def __init__(self, message: Message, *, queue: str, retired: Sequence[str] = (), **kwargs: Any) -> None:
        self.message, self.name, self.retired = message, queue, tuple(retired)
        super().__init__(**kwargs)

    def setup(self) -> None:
        self.queue = f"{self.container.service_name}.{self.name}"
        method = getattr(self.container.service_cls, self.method_name)
        self._wanted = [name for name in inspect.signature(method).parameters if name != "self"]
        if unknown := set(self._wanted) - self.message.fields - {"message"}:
            raise UndeclaredMessage(f"{self.queue} wants {sorted(unknown)}, which {self.message.key} does not have")
        self._delays = self.container.config["settings"].retry_delays
        self._lag = metrics.LAG.labels(self.queue)
        self._retried, self._parked = metrics.RETRIED.labels(self.queue), metrics.PARKED.labels(self.queue)
        self._facts = {"messaging.operation.name": "process", "messaging.destination.name": self.queue}
        self.intake.shares(partial(declare_retries, delays=self._delays))
        declare = partial(declare_handler, queue=self.queue, message=self.message)
        self.intake.consume(self.queue, declare, self._receive, brakes=True)
        for name in self.retired:
            former = f"{self.container.service_name}.{name}"
            self.intake.empties(former, partial(retire_handler, queue=former, message=self.message), self._receive)

    def stop(self) -> None:
        self.intake.silence()

    def _receive(self, delivery: Delivery) -> None:
        try:
            found, message, body = unpack(delivery.body)
            if message is not self.message:
                raise Unreadable(f"{message.key} is not for this queue")
        except Unreadable as error:
            self._settle(delivery, error)
            return
        known = body | {"message": found}
        self.container.work(
            self,
            {name: known.get(name) for name in self._wanted},
            context_data={
                "correlation_id": found.correlation_id,
                "log": {"message_id": found.id, "message_type": found.type},
                "traced": Work(f"process {self.queue}", "consumer", found.traceparent, self._facts),
            },
            then=partial(self._finish, delivery, found, time.monotonic()),
        )

    def _finish(
        self, delivery: Delivery, found: Envelope, begun: float, _result: None, error: Exception | None
    ) -> None:
        self._settle(delivery, error, found)
        took, outcome = time.monotonic() - begun, type(error).__name__ if error else "ok"
        metrics.heard(self.queue, outcome).observe(took)
        if error is None:
            log.info("handled", queue=self.queue, ms=round(took * 1000, 1))
            if (lag := found.lag) is not None:
                self._lag.observe(lag)

    def _settle(self, delivery: Delivery, error: BaseException | None, found: Envelope | None = None) -> None:
        if error is None:
            delivery.ack()
            self.intake.ease()
            return
        if is_absent(error):
            self.intake.brake(error)
            delivery.requeue()
            return
        attempt = delivery.headers.get(ATTEMPT)
        attempt = attempt if isinstance(attempt, int) and attempt >= 0 else 0
        hopeless = isinstance(error, Unreadable) or (isinstance(error, Refusal) and not isinstance(error, TRANSIENT))
        headers = {ATTEMPT: attempt + 1, "x-hearth-error": reason(error)}
        try:
            if hopeless or attempt >= len(self._delays):
                log.error("parked", queue=self.queue, attempt=attempt, exc_info=error)
                headers |= {"x-hearth-queue": self.queue, "x-hearth-parked-at": _now(found)}
                self._copy(delivery, DEAD, headers)
                self._parked.inc()
            else:
                delay = self._delays[attempt]
                log.warning(
                    "retrying",
                    queue=self.queue,
                    attempt=attempt,
                    again_in=delay_name(delay),
                    error=headers["x-hearth-error"],
                )
                self._copy(delivery, retry_exchange(delay), headers)
                self._retried.inc()
        except BusDown as down:
            log.warning("kept for later", queue=self.queue, error=logs.kind(down))
            self.intake.brake(down)
            delivery.requeue()
            return
        delivery.ack()

    def _copy(self, delivery: Delivery, exchange: str, headers: dict[str, Any]) -> None:
        broker_wrote = ("x-death", "x-first-death-", "x-last-death-", "x-delivery-count", "x-acquired-count")
        kept = {key: value for key, value in delivery.headers.items() if not key.startswith(broker_wrote)}
        content_type = delivery.properties.get("content_type") or CONTENT_TYPE
        self.publisher.publish(
            exchange, self.queue, delivery.body, content_type=content_type, application_headers=kept | headers
        )


def on(message: Message, *, queue: str, retired: Sequence[str] = ()) -> Callable[[Handler], Handler]:
    """Have a method hear a message, by a queue of this name in its capability; `retired` are its former names."""
    decorate: Callable[[Handler], Handler] = On.decorator(message, queue=queue, retired=retired)
    return decorate


def hearers(capabilities: Iterable[type]) -> dict[str, list[str]]:
    """The queues that hear each message: `{"feedback.submitted": ["notifications.fanout.tell_…"]}`."""
    found: dict[str, list[str]] = {}
    for capability, entrypoint in _handlers(capabilities):
        found.setdefault(entrypoint.message.key, []).append(f"{capability}.{entrypoint.name}")
    return {key: sorted(queues) for key, queues in sorted(found.items())}


def retired(capabilities: Iterable[type]) -> dict[str, Message]:
    """The former queues of handlers that have another name now, each with the message that was put there."""
    return {
        f"{capability}.{name}": entrypoint.message
        for capability, entrypoint in _handlers(capabilities)
        for name in entrypoint.retired
    }


def _handlers(capabilities: Iterable[type]) -> Iterator[tuple[str, On]]:
    for capability in capabilities:
        for _, method in inspect.getmembers(capability, inspect.isfunction):
            for entrypoint in getattr(method, ENTRYPOINT_EXTENSIONS_ATTR, ()):
                if isinstance(entrypoint, On):
                    yield capability.name, entrypoint  # type: ignore[attr-defined]
