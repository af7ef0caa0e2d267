"""An independent subscriber. It hears the same as any system that knows the broker's address and the exchange."""

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

import pika
import pika.exceptions

from deploy.demo import PATIENCE, StoryBroken

EXCHANGE = "community"
DELIVERED, SUPERSEDED = "notifications.delivered.v2", "notifications.delivered"  # for a release, both are announced


class Heard(NamedTuple):
    """A CloudEvent, and the moment of `time.perf_counter()` at which it was heard."""

    at: float
    event: dict[str, Any]


class Subscriber:
    """Hears every message from now on until it is closed, in a thread of its own, over an exclusive queue.

    It leaves out messages that are also announced in a newer version.
    """

    def __init__(self, uri: str) -> None:
        self.heard: list[Heard] = []
        self._news = threading.Condition()
        try:
            self._connection = pika.BlockingConnection(pika.URLParameters(uri))
            channel = self._connection.channel()
            queue = channel.queue_declare("", exclusive=True).method.queue
            channel.queue_bind(queue, EXCHANGE, "#")
            channel.basic_consume(queue, self._hear, auto_ack=True)
            self._stop = channel.stop_consuming
        except pika.exceptions.AMQPError as error:
            raise StoryBroken(f"The broker does not let anybody subscribe: {error!r}") from error
        self._thread = threading.Thread(target=self._listen, args=[channel], daemon=True)
        self._thread.start()

    def _listen(self, channel: Any) -> None:
        with suppress(pika.exceptions.AMQPError):  # the waiting caller reports the missing message
            channel.start_consuming()
            self._connection.close()

    def close(self) -> None:
        """Stop hearing."""
        with suppress(pika.exceptions.AMQPError):
            self._connection.add_callback_threadsafe(self._stop)
        self._thread.join(PATIENCE)

    def _hear(self, _channel: Any, _method: Any, _properties: Any, body: bytes) -> None:
        event = json.loads(body)
        if event["type"] != SUPERSEDED:
            with self._news:
                self.heard.append(Heard(time.perf_counter(), event))
                self._news.notify_all()

    def of(self, type: str, **data: Any) -> list[Heard]:
        """The messages of a type that were heard and whose body has these values."""
        return [h for h in list(self.heard) if h.event["type"] == type and data.items() <= h.event["data"].items()]

    def until(self, enough: Callable[[], bool], within: float = PATIENCE) -> bool:
        """Listen until `enough()`. False if that does not come within so many seconds."""
        with self._news:
            return self._news.wait_for(enough, within)

    def told(self, kind: str, link: str, members: set[str], within: float = PATIENCE) -> tuple[set[str], float]:
        """The members told of something, and the time of the last delivery. Waits until they include `members`."""

        def deliveries() -> list[Heard]:
            return self.of(DELIVERED, kind=kind, link=link)

        def reached() -> set[str]:
            return {member for each in deliveries() for member in each.event["data"]["member_ids"]}

        self.until(lambda: reached() >= members, within)
        return reached(), max((each.at for each in deliveries()), default=0.0)
