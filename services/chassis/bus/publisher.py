"""Publishing: many messages in one write, and a confirm for each."""

import time
from contextlib import suppress
from itertools import takewhile
from typing import Any

import amqp
import eventlet
from eventlet.event import Event
from eventlet.semaphore import Semaphore
from nameko.extensions import SharedExtension

from services.chassis.bus.line import PATIENCE, BusDown, Line
from services.ground import logs


class PublishingLine(Line):
    """A connection that publishes; its reader greenlet takes the confirms."""

    def __init__(self, uri: str, heartbeat: int) -> None:
        super().__init__(uri, heartbeat)
        self._tag = 0
        self._waiting: dict[int, Event] = {}
        self._reader: Any = None
        with self.begun():
            self._confirmed = self.channel()
            self._confirmed.confirm_select()
            self._plain = self.channel()
        self._confirmed.events["basic_ack"].add(self._on_ack)
        self._confirmed.events["basic_nack"].add(self._on_nack)
        self._reader = eventlet.spawn(self._read)

    def post(self, message: amqp.Message, exchange: str, key: str, confirm: bool) -> Event:
        """Gather a message, and return its confirm, which is sent when it comes. Raises BusDown."""
        if not self.alive:
            raise BusDown("the connection to the broker was lost")
        done = Event()
        if confirm:
            self._tag += 1
            self._waiting[self._tag] = done
        try:
            self.gather((self._confirmed if confirm else self._plain).basic_publish, message, exchange, key)
        except Exception as error:
            self.broken(error)
            raise BusDown(logs.kind(error)) from error
        return done

    def broken(self, error: BaseException) -> None:
        """Give the connection up. Its unconfirmed messages raise BusDown."""
        was_alive = self.alive
        super().broken(error)
        if was_alive:
            waiting, self._waiting = self._waiting, {}
            for done in waiting.values():
                done.send_exception(BusDown(f"not confirmed: {logs.kind(error)}"))
            eventlet.spawn_n(self.close)

    def close(self) -> None:
        self.alive = False
        if self._reader is not None and self._reader is not eventlet.getcurrent():
            self._reader.kill()
        super().close()

    def _read(self) -> None:
        with suppress(Exception):  # the connection is lost, and says so
            while True:
                self.listen()

    def _settle(self, tag: int, multiple: bool) -> list[Event]:
        tags = list(takewhile(lambda each: each <= tag, self._waiting)) if multiple else [tag]
        return [self._waiting.pop(each) for each in tags if each in self._waiting]

    def _on_ack(self, tag: int, multiple: bool) -> None:
        for done in self._settle(tag, multiple):
            done.send(True)

    def _on_nack(self, tag: int, multiple: bool) -> None:
        for done in self._settle(tag, multiple):
            done.send_exception(BusDown("the broker refused the message: its queue is full"))


class Publisher(SharedExtension):
    """Publishes for one capability, over one connection that is opened when first needed and again after a loss."""

    def __init__(self) -> None:
        super().__init__()
        self._opening, self._failed_at = Semaphore(), 0.0
        self._line: PublishingLine | None = None

    def post(self, exchange: str, key: str, body: bytes, **properties: Any) -> Event:
        """`gather` a message, and write all gathered ones. Raises BusDown."""
        done = self.gather(exchange, key, body, **properties)
        self.flush()
        return done

    def gather(self, exchange: str, key: str, body: bytes, *, confirm: bool = True, **properties: Any) -> Event:
        """Gather a message, to be sent together with others by `flush`, or earlier when they are many.

        The returned confirm's `wait()` returns when the broker has the message safe, or raises BusDown. With `confirm`
        the message is persistent and confirmed, without it transient and forgotten. `properties` are AMQP's
        (`content_type`, `headers` → `application_headers`, …). Raises BusDown.
        """
        message = amqp.Message(body, delivery_mode=2 if confirm else 1, **properties)
        return self._open().post(message, exchange, key, confirm)

    def flush(self) -> None:
        """Write all gathered messages. If that fails, their confirms raise BusDown."""
        if self._line is not None:
            self._line.flush()

    def publish(self, exchange: str, key: str, body: bytes, **properties: Any) -> None:
        """Send a message and wait for the broker's confirm, at most PATIENCE. Raises BusDown."""
        await_confirm(self.post(exchange, key, body, **properties), time.monotonic() + PATIENCE)

    def _open(self) -> PublishingLine:
        if self._line is not None and self._line.alive:
            return self._line
        asked_at = time.monotonic()
        with self._opening:
            if self._failed_at > asked_at:
                raise BusDown("the broker could not be reached just now")  # waiting as long again would not help
            if self._line is None or not self._line.alive:
                settings = self.container.config["settings"]
                try:
                    self._line = PublishingLine(settings.amqp_uri, settings.heartbeat)
                except Exception as error:
                    self._failed_at = time.monotonic()
                    raise BusDown(f"the broker cannot be reached: {logs.kind(error)}") from error
            return self._line

    def stop(self) -> None:
        if self._line is not None:
            self._line.close()

    kill = stop


def await_confirm(confirm: Event, until: float) -> None:
    """Wait for one confirm until a moment of the monotonic clock. Raises BusDown."""
    if confirm.ready():
        confirm.wait()
        return
    with eventlet.Timeout(max(until - time.monotonic(), 0.001), BusDown("the broker did not confirm in time")):
        confirm.wait()
