"""One open stream: the events that wait for one reader, and their form on the wire."""

import contextlib
import random
import socket
from collections.abc import Iterable, Iterator
from typing import Any

import gevent
import orjson
from gevent.queue import Empty, Full, Queue

from services.ground import clock, identifiers
from services.ground.tokens import Caller

WAITING = 64  # notifications that may wait for a slow reader
WAITING_BYTES = 512 * 1024  # of these, and also of missed ones: a reader who does not read holds no more of each kind
BACK = (2, 5)  # seconds after which readers come back, refused ones too


def hint(says: bytes) -> bytes:
    """A comment with the time after which to come back, in milliseconds."""
    return b"retry: %d\n: %s\n\n" % (random.uniform(*BACK) * 1000, says)  # noqa: S311 - only spreads the readers


def frame(id: str, notification: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return b"id: %s\nevent: notification\ndata: %s\n\n" % (id.encode(), orjson.dumps(notification))


class Stream:
    """One open stream of one member, with the events that wait to be written."""

    def __init__(self, caller: Caller, language: str, connection: socket.socket | None) -> None:
        self.caller = caller
        self.member_id = caller.id
        self.language, self.zone = language, caller.zone  # each empty where the hub's counts
        self.joined_at = identifiers.moment(caller.id)  # their id is made of when they joined
        self.expires_at = caller.expires_at
        self._frames: Queue = Queue(WAITING)
        self._waiting = 0  # bytes
        self._said: set[str] = set()
        self._connection = connection
        self._watcher: Any = None

    def push(self, notification_id: str, said: bytes) -> None:
        """Queue an event. A reader who is too slow is disconnected, and can come back and catch up."""
        self._waiting += len(said)
        try:
            if self._waiting > WAITING_BYTES and not self._frames.empty():
                raise Full
            self._frames.put_nowait((notification_id, said))
        except Full:
            self.end()
            self._hang_up()

    def skip(self, notification_ids: Iterable[str]) -> None:
        """Leave these events out, because catching up has sent them."""
        self._said.update(notification_ids)

    def end(self) -> None:
        """End the stream after the event that is being written. Never waits."""
        while not self._frames.empty():
            self._frames.get_nowait()
        self._waiting = 0
        self._frames.put_nowait(None)

    def _hang_up(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(OSError):  # gone already
                self._connection.shutdown(socket.SHUT_RDWR)

    def watch(self) -> None:
        """End the stream as soon as the reader leaves. Otherwise only the next write would notice."""
        if self._connection is not None:
            self._watcher = gevent.get_hub().loop.io(self._connection.fileno(), 1)
            self._watcher.start(self._readable)

    def _readable(self) -> None:
        try:
            left = not self._connection._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)  # type: ignore[union-attr]
        except OSError as error:
            left = not isinstance(error, BlockingIOError)
        self.unwatch()  # further bytes from a reader don't matter
        if left:
            self.end()

    def unwatch(self) -> None:
        """Stop watching the connection. It may then serve another request."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            self._watcher = None

    def events(self, heartbeat: float) -> Iterator[bytes]:
        """The pushed events, a comment after each `heartbeat` seconds of silence, and a closing hint to come back."""
        while (left := self.expires_at - clock.seconds()) > 0:
            try:
                item = self._frames.get(timeout=min(heartbeat, left))
            except Empty:
                yield b": \n\n"
                continue
            if item is None:
                break
            notification_id, said = item
            self._waiting -= len(said)
            if notification_id in self._said:
                self._said.remove(notification_id)
            else:
                yield said
        yield hint(b"come back with your Last-Event-ID")
