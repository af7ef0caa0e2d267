"""Dead letters: messages that could not be handled, in the queue `dead` with the reason in their headers.

Letters are read one at a time, and only those that were there at the start. An unsettled letter returns to its place.
"""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import amqp
import orjson

from deploy.hub import Trouble
from deploy.hub.bus import PATIENCE

DEAD = "dead"
OURS = ("x-hearth-queue", "x-hearth-error", "x-hearth-attempt", "x-hearth-parked-at")
COUNTS = ("x-delivery-count", "x-acquired-count")  # RabbitMQ 4.3 writes both
BROKERS = ("x-death", "x-first-death-", "x-last-death-", *COUNTS)
WORN = 10  # by default RabbitMQ 4 drops a message after 20 returns, and each look at a letter returns it once
BATCH = 16  # letters given back at a time; if they come faster than a quorum queue writes, it mixes up their order


@dataclass(frozen=True)
class Letter:
    """A dead letter.

    `id` is short and made from queue and body. So the same message, dead again in the same queue, is the same letter.
    `queue` is the queue in which it failed, `parked_at` the moment or day in ISO 8601; both are None if unknown.
    `message` and `type` are the CloudEvent's id and type, or None if the body is not a CloudEvent.
    """

    id: str
    queue: str | None
    error: str
    attempt: int | None
    parked_at: str | None
    message: str | None
    type: str | None
    headers: dict[str, Any]
    content_type: str | None
    body: bytes
    tag: int

    def is_called(self, id: str) -> bool:
        """True if this is the letter's own id or its message's id."""
        return id in (self.id, self.message)


def read(message: amqp.Message) -> Letter:
    """The letter in a message with any content."""
    headers = message.properties.get("application_headers")
    headers = headers if isinstance(headers, dict) else {}
    body = message.body if isinstance(message.body, bytes) else str(message.body).encode()
    death = _death(headers)
    queue = _text(headers.get("x-hearth-queue")) or _text(death.get("queue"))
    reason = _text(headers.get("x-hearth-error")) or "no reason given"
    if _text(headers.get("x-hearth-queue")) is None and death:
        reason = f"the broker gave up on it ({death.get('reason')}); before: {reason}"
    attempt = headers.get("x-hearth-attempt")
    event = _event(body)
    return Letter(
        id=hashlib.sha256(f"{queue}\0".encode() + body).hexdigest()[:8],
        queue=queue,
        error=reason,
        attempt=attempt if isinstance(attempt, int) else None,
        parked_at=_text(headers.get("x-hearth-parked-at")) or (str(death["time"]) if "time" in death else None),
        message=_text(event.get("id")),
        type=_text(event.get("type")),
        headers=headers,
        content_type=_text(message.properties.get("content_type")),
        body=body,
        tag=message.delivery_tag,
    )


def _death(headers: dict[str, Any]) -> dict[str, Any]:
    """The broker's own record of the last death, leaving out waits in queues for retries."""
    deaths = headers.get("x-death")
    for each in deaths if isinstance(deaths, list) else []:
        if isinstance(each, dict) and not str(each.get("queue", "retry.")).startswith("retry."):
            return each
    return {}


def _event(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


class Letters:
    """The letters now in `dead`, oldest first; `count` is their number. It can be iterated once."""

    def __init__(self, connection: amqp.Connection) -> None:
        self._channel = connection.channel()
        self._channel.auto_decode = False
        self._returned: list[Exception] = []
        self._channel.events["basic_return"].add(lambda error, *_: self._returned.append(error))
        self._held: dict[int, None] = {}
        try:
            self.count: int = self._channel.queue_declare(DEAD, passive=True).message_count
        except amqp.NotFound:
            self._channel = connection.channel()
            self.count = 0

    def __enter__(self) -> "Letters":
        return self

    def __exit__(self, *_: object) -> None:
        """Give back the unsettled letters in their original order."""
        if not self._channel.is_open:
            return
        tags = list(self._held)
        for first in range(0, len(tags), BATCH):
            batch = tags[first : first + BATCH]
            back, until = self._ready() + len(batch), time.monotonic() + PATIENCE
            for tag in batch:
                self._channel.basic_reject(tag, requeue=True)
            while self._ready() < back and time.monotonic() < until:
                time.sleep(0.001)
        self._channel.close()

    def _ready(self) -> int:
        return int(self._channel.queue_declare(DEAD, passive=True).message_count)

    def __iter__(self) -> Iterator[Letter]:
        for _ in range(self.count):
            message = self._channel.basic_get(DEAD)
            if message is None:
                return
            letter = read(message)
            self._held[letter.tag] = None
            yield letter
            if letter.tag in self._held and _returns(letter) >= WORN:
                self._renew(letter)

    def send_back(self, letter: Letter) -> bool:
        """Put a letter into the queue that failed, and only there, as if it came for the first time.

        If there is no such queue (any more), the letter stays and the result is False. A crash in between makes a
        second copy, but loses nothing.
        """
        ours = (*OURS, *BROKERS)
        headers = {name: value for name, value in letter.headers.items() if not name.startswith(ours)}
        if letter.queue is None or not self._publish(letter, letter.queue, headers):
            return False
        self.drop(letter)
        return True

    def drop(self, letter: Letter) -> None:
        """Forget a letter."""
        self._channel.basic_ack(letter.tag)
        del self._held[letter.tag]

    def _renew(self, letter: Letter) -> None:
        headers = {name: value for name, value in letter.headers.items() if name not in COUNTS}
        if self._publish(letter, DEAD, headers):
            self.drop(letter)

    def _publish(self, letter: Letter, queue: str, headers: dict[str, Any]) -> bool:
        kind = {"content_type": letter.content_type} if letter.content_type else {}
        message = amqp.Message(letter.body, delivery_mode=2, application_headers=headers, **kind)
        self._returned.clear()
        try:
            self._channel.basic_publish_confirm(message, "", queue, mandatory=True, confirm_timeout=PATIENCE)
        except amqp.MessageNacked:
            raise Trouble(
                f"The queue {queue} takes no more messages: it is full. What was not moved is kept."
            ) from None
        except TimeoutError:
            raise Trouble(
                "The broker does not confirm what is sent: memory or disk may be low. Nothing is lost."
            ) from None
        return not self._returned


def _returns(letter: Letter) -> int:
    count = letter.headers.get("x-delivery-count")
    return count if isinstance(count, int) else 0
