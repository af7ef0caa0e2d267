"""Load on the bus, the same for the platform and for what stands bare beside it: py-amqp in this process."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import amqp
import orjson

from services.contracts.catalogue import CONTENT_TYPE, Announcement, Message, envelope
from services.ground import clock, identifiers
from tests.rig.wire import Caller, connection

IN_FLIGHT = 32
NOBODY = "018f2d6e-5b7c-7a3e-9c41-0f2b6d7e8a90"
HEARD_WITHIN = 60.0  # seconds


def event(message: Message, subject: str, data: dict[str, Any]) -> dict[str, Any]:
    """A message as a service would send it, with an id of its own."""
    now = clock.now()
    id = identifiers.new_id(now)
    return envelope(
        Announcement(message, subject, now, data), id=id, sequence=1, correlation_id=subject, causation_id=None
    )


class Confirmed:
    """Publishes persistent messages, with as many confirms in flight as its user lets be."""

    def __init__(self, uri: str) -> None:
        self.connection = connection(uri)
        # With this capability on, every publish would also read the socket.
        self.connection.client_properties["capabilities"]["connection.blocked"] = False
        self._channel = self.connection.channel()
        self._channel.confirm_select()
        self._channel.events["basic_ack"].add(self._confirmed)
        self._tag, self._waiting = 0, set[int]()

    def publish(self, body: bytes, exchange: str, key: str) -> None:
        self._tag += 1
        self._waiting.add(self._tag)
        self._channel.basic_publish(amqp.Message(body, content_type=CONTENT_TYPE, delivery_mode=2), exchange, key)

    def _confirmed(self, tag: int, multiple: bool) -> None:
        self._waiting -= {each for each in self._waiting if each <= tag} if multiple else {tag}

    def settle(self, most: int = 0) -> None:
        """Wait until at most so many are unconfirmed."""
        while len(self._waiting) > most:
            self.connection.drain_events(timeout=30)

    def pass_time(self, until: float) -> None:
        """Take confirms until a moment of the monotonic clock."""
        while (left := until - time.monotonic()) > 0:
            with suppress(TimeoutError):
                self.connection.drain_events(timeout=left)

    def close(self) -> None:
        self.connection.close()


def paced(count: int, per_second: float, act: Callable[[int], None], wait: Callable[[float], None]) -> None:
    """Act so many times, evenly; `wait` passes the time until a moment of the monotonic clock."""
    began = time.monotonic()
    for number in range(count):
        wait(began + number / per_second)
        act(number)


def taken(uri: str, capability: str, count: int) -> dict[str, float]:
    """Ask a capability until it has heard `count` messages; return the time of each (monotonic), by id."""
    asked, found = Caller(uri), dict[str, float]()
    until = time.monotonic() + HEARD_WITHIN
    while len(found) < count:
        found |= asked.call(f"{capability}.taken")
        assert time.monotonic() < until, f"{capability} heard {len(found)} of {count} messages"
        time.sleep(0.05)
    asked.close()
    return found


def calls(uri: str, target: str, seconds: float) -> float:
    """Calls that were answered per second, of 32 in flight at any time."""
    made = connection(uri)
    made.client_properties["capabilities"]["connection.blocked"] = False
    channel = made.channel()
    channel.auto_decode = False
    queue = channel.queue_declare("", exclusive=True).queue
    channel.queue_bind(queue, "nameko-rpc", queue)
    body = orjson.dumps({"args": [], "kwargs": {"text": "hello"}})
    answered, numbers = 0, iter(range(10**9))

    def ask() -> None:
        kind = {"content_type": "application/json", "reply_to": queue, "correlation_id": str(next(numbers))}
        channel.basic_publish(amqp.Message(body, delivery_mode=1, **kind), "nameko-rpc", target)

    def answer(message: amqp.Message) -> None:
        nonlocal answered
        said = orjson.loads(message.body)
        assert said["error"] is None, said
        answered += 1
        ask()

    channel.basic_consume(queue, callback=answer, no_ack=True)
    for _ in range(IN_FLIGHT):
        ask()
    began = time.monotonic()
    while (took := time.monotonic() - began) < seconds:
        made.drain_events(timeout=10)
    rate = answered / took
    made.close()
    return rate
