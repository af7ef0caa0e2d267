"""The tests' own traffic on the bus: RPC calls, messages and listeners over a plain AMQP connection."""

import time
import uuid
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

import amqp
import orjson

from services.contracts.catalogue import CONTENT_TYPE
from services.contracts.errors import revive
from services.contracts.messages.feedback import FEEDBACK_SUBMITTED


def connection(uri: str) -> amqp.Connection:
    """An open connection to the broker of an AMQP URI."""
    parts = urlsplit(uri)
    made = amqp.Connection(
        host=f"{parts.hostname}:{parts.port or 5672}",
        userid=unquote(parts.username or "guest"),
        password=unquote(parts.password or "guest"),
        virtual_host=unquote(parts.path[1:]) or "/",
        connect_timeout=5,
    )
    made.connect()
    return made


def submitted(text: str, **attributes: Any) -> dict[str, Any]:
    """A message that says what a voice said, as feedback announces it."""
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": "/hearth/feedback",
        "type": "feedback.submitted",
        "subject": FEEDBACK_SUBMITTED.example["voice_id"],
        "time": "2026-11-02T09:00:00.000Z",
        "sequence": "000000000007",
        "data": FEEDBACK_SUBMITTED.example | {"text": text},
    } | attributes


def publish(
    channel: amqp.Channel, body: bytes, exchange: str = "community", key: str = "feedback.submitted", **more: Any
) -> None:
    """Send a persistent message."""
    channel.basic_publish(
        amqp.Message(body, **{"content_type": CONTENT_TYPE, "delivery_mode": 2} | more), exchange, key
    )


def announce(channel: amqp.Channel, text: str, **attributes: Any) -> str:
    """Send a `submitted` message; return its id."""
    made = submitted(text, **attributes)
    publish(channel, orjson.dumps(made))
    return str(made["id"])


class Listener:
    """Collects what is published on an exchange under a pattern from the moment it is made."""

    def __init__(self, uri: str, pattern: str = "#", exchange: str = "community") -> None:
        self._connection = connection(uri)
        channel = self._connection.channel()
        channel.exchange_declare(exchange, "topic", durable=True, auto_delete=False)
        queue = channel.queue_declare("", exclusive=True).queue
        channel.queue_bind(queue, exchange, pattern)
        self.heard: list[dict[str, Any]] = []
        self.raw: list[amqp.Message] = []
        channel.basic_consume(queue, callback=self._take, no_ack=True)

    def _take(self, message: amqp.Message) -> None:
        self.raw.append(message)
        self.heard.append(orjson.loads(message.body))

    def wait(self, count: int, seconds: float = 15) -> list[dict[str, Any]]:
        """Wait for `count` messages; return all that were heard. Raises AssertionError when they don't come."""
        until = time.monotonic() + seconds
        while len(self.heard) < count:
            left = until - time.monotonic()
            assert left > 0, f"heard {len(self.heard)} of {count} messages: {self.heard}"
            self.drain(left)
        return self.heard

    def drain(self, seconds: float) -> list[dict[str, Any]]:
        """Wait for at most one more event; return all that was heard."""
        with suppress(TimeoutError):
            self._connection.drain_events(timeout=seconds)
        return self.heard

    def close(self) -> None:
        self._connection.close()


class Caller:
    """Makes RPC calls, one at a time."""

    def __init__(self, uri: str) -> None:
        self._connection = connection(uri)
        self.channel = self._connection.channel()
        self.channel.exchange_declare("nameko-rpc", "topic", durable=True, auto_delete=False)
        self.reply_to = str(uuid.uuid4())
        queue = self.channel.queue_declare("", exclusive=True).queue
        self.channel.queue_bind(queue, "nameko-rpc", self.reply_to)
        self.channel.basic_consume(queue, callback=self._take, no_ack=True)
        self._answers: dict[str, Any] = {}

    def _take(self, message: amqp.Message) -> None:
        self._answers[message.properties["correlation_id"]] = orjson.loads(message.body)

    def call(self, target: str, token: str | None = None, seconds: float = 10, **kwargs: Any) -> Any:
        """The result of `<capability>.<method>`; raises the refusal, or TimeoutError."""
        headers = {"nameko.token": token} if token else {}
        return self.send(target, orjson.dumps({"args": [], "kwargs": kwargs}), headers, seconds)

    def send(self, target: str, body: bytes, headers: dict[str, Any], seconds: float = 10, **properties: Any) -> Any:
        """Send any body as a call."""
        correlation_id = str(uuid.uuid4())
        message = amqp.Message(
            body,
            **{
                "content_type": "application/json",
                "reply_to": self.reply_to,
                "correlation_id": correlation_id,
                "application_headers": headers,
            }
            | properties,
        )
        self.channel.basic_publish(message, "nameko-rpc", target)
        until = time.monotonic() + seconds
        while correlation_id not in self._answers:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError(target)
            with suppress(TimeoutError):
                self._connection.drain_events(timeout=left)
        answer = self._answers.pop(correlation_id)
        if answer["error"]:
            raise revive(answer["error"])
        return answer["result"]

    def close(self) -> None:
        self._connection.close()
