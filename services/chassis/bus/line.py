"""A connection to the broker. One greenlet reads it, any greenlet writes to it, and one write carries many frames.

The system call is the dearest part of a small message. So frames are gathered first, and a lock serialises the writes.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import amqp
import eventlet
from eventlet.semaphore import Semaphore
from kombu import Connection

from services.ground import logs, wire
from services.ground.logs import log

PATIENCE = 3.0  # seconds that the broker has for a connection, a write or a confirm
BEGUN_WITHIN = 10.0  # seconds that it has for all first steps of a connection
READ_AT_ONCE, WRITTEN_AT_ONCE = 8_192, 65_536  # bytes


class BusDown(logs.Plain):
    """The broker could not be reached, did not confirm in time, or refused a message."""


def connect(uri: str, heartbeat: int) -> amqp.Connection:
    """An open connection; raises OSError or an AMQP error when the broker does not answer within PATIENCE.

    It is py-amqp's connection. Kombu's would open again when it finds itself lost, but without our channels and
    consumers, and its reader would then hear nothing for ever.
    """
    with eventlet.Timeout(2 * PATIENCE, BusDown("no connection to the broker in time")):
        raw: amqp.Connection = Connection(uri, heartbeat=heartbeat, connect_timeout=PATIENCE).connect()
    wire.write_only(raw)
    return raw


class Line:
    """An open connection. Its heart beats while `listen` runs, and one write carries the frames of many greenlets."""

    def __init__(self, uri: str, heartbeat: int) -> None:
        self.alive = True
        self.connection = connect(uri, heartbeat)
        self._lock = Semaphore()
        self._gathered, self._gathering = bytearray(), False
        wire.read_ahead(self.connection, READ_AT_ONCE)
        self._write = wire.divert(self.connection, self._put)
        self._beat_every = heartbeat / 3
        self._next_beat = 0.0

    def channel(self) -> amqp.Channel:
        channel = self.connection.channel()
        channel.auto_decode = False
        return channel

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Give the connection up if the block takes too long. No greenlet reads it yet, so no other would notice."""
        late = eventlet.spawn_after(BEGUN_WITHIN, self.broken, BusDown("the broker does not answer"))
        try:
            yield
        except BaseException:
            self.close()
            raise
        finally:
            late.cancel()

    def listen(self) -> None:
        """Dispatch what arrives within a second. Raises when the connection is lost. It then takes no more writes."""
        try:
            with suppress(TimeoutError):
                self.connection.drain_events(timeout=1)
            if time.monotonic() >= self._next_beat:
                with self._lock, eventlet.Timeout(PATIENCE, BusDown("the broker does not take what is sent")):
                    self.connection.heartbeat_tick()
                self._next_beat = time.monotonic() + self._beat_every
        except Exception as error:
            self.broken(error)  # at once: the socket would still take an acknowledgement, and lose it
            raise

    def gather(self, verb: Callable[..., Any], *args: Any) -> None:
        """Have the next `flush` write the frames of a verb that waits for no answer."""
        self._gathering = True
        try:
            verb(*args)
        finally:
            self._gathering = False
        if len(self._gathered) > WRITTEN_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write all gathered frames in one system call, after yielding once so that other greenlets can add theirs.

        A failed write breaks the connection.
        """
        eventlet.sleep(0)
        with self._lock:
            frames = bytes(self._gathered)
            self._gathered.clear()
            if not frames or not self.alive:  # after half a frame, the broker would take these for the rest of it
                return
            try:
                with eventlet.Timeout(PATIENCE, BusDown("the broker does not take what is sent")):
                    self._write(frames)
            except Exception as error:
                self.broken(error)

    def _put(self, frames: bytes) -> None:
        if self._gathering:
            self._gathered += frames
        else:
            self._write(frames)

    def broken(self, error: BaseException) -> None:
        """Give the connection up, as it can't be written to. Its reader then finds it lost."""
        if self.alive:
            self.alive = False
            log.debug("connection given up", error=logs.kind(error))
            wire.cut(self.connection)

    def close(self) -> None:
        self.alive = False
        with suppress(Exception), eventlet.Timeout(PATIENCE, BusDown("closing")):
            self.connection.collect()
