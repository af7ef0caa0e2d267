"""The worker's one AMQP connection. One greenlet reads it, all write to it, and it is opened again when it is lost.

All users of the bus share it. Each sets up its own channel when told that the connection is open.
"""

import contextlib
import functools
import random
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import amqp
import gevent
from gevent import monkey
from gevent.event import Event
from gevent.lock import BoundedSemaphore

from services.ground import logs, wire
from services.ground.absence import Absence
from services.ground.logs import log

TICK = 1.0  # seconds: longest wait of a read before the heartbeat is checked, and of a write before it fails
SETUP = 5.0  # seconds for connecting, and for each answer while channels are set up
BACKOFF = (0.1, 2.0)  # seconds: first and longest pause between attempts
READ_AT_ONCE = 65_536  # bytes
MOST_LETTERS = 16 * 1024 * 1024  # bytes that may wait to be written


class LinkDown(logs.Plain):
    """The connection is lost, or was lost while writing."""


class User(Protocol):
    """A user of the link. The link calls these methods in the reading greenlet, so they must not wait."""

    def opened(self, connection: amqp.Connection) -> None:
        """The connection is open. Declare, bind and consume here."""

    def lost(self) -> None:
        """The connection is gone, with every channel and exclusive queue."""


def _address(uri: str) -> dict[str, Any]:
    parts = urlsplit(uri)
    host = parts.hostname or "localhost"
    secure = parts.scheme == "amqps"
    return {
        "host": f"{f'[{host}]' if ':' in host else host}:{parts.port or (5671 if secure else 5672)}",
        "userid": unquote(parts.username or "guest"),
        "password": unquote(parts.password or "guest"),
        "virtual_host": unquote(parts.path[1:]) or "/",
        "ssl": {"server_hostname": host, "cert_reqs": ssl.CERT_REQUIRED} if secure else False,
    }


class Link:
    """A connection that keeps itself open once started, with growing pauses between attempts."""

    def __init__(self, uri: str, heartbeat: int) -> None:
        self._address = _address(uri)
        self._heartbeat = heartbeat
        self._users: list[User] = []
        self._writing = BoundedSemaphore()
        self._letters: list[bytes] = []
        self._unwritten = 0  # bytes of letters
        self._posted = Event()
        self._reader: gevent.Greenlet | None = None
        self._connection: amqp.Connection | None = None
        self._absence = Absence("broker lost", "broker there again")
        self.blocked = False

    def serve(self, user: User) -> None:
        """Tell `user` about the connection from now on. Call this before `start`."""
        self._users.append(user)

    @property
    def up(self) -> bool:
        """True while the connection is open and the broker takes messages."""
        return self._connection is not None and not self.blocked

    def start(self) -> None:
        """Begin connecting; the second call does nothing."""
        if self._reader is None:
            if not monkey.is_module_patched("socket"):
                raise RuntimeError("The gateway needs gunicorn's gevent worker: a reader would block everything else.")
            self._reader = gevent.spawn(self._run)
            gevent.spawn(self._send_letters)

    def post(self, letter: bytes) -> None:
        """Queue whole frames to be sent in a moment, together with others. Raises LinkDown if nothing can be sent.

        If the connection is lost first, the frames are lost too. Users learn this from `lost`.
        """
        if not self.up:
            raise LinkDown("not connected")
        if self._unwritten + len(letter) > MOST_LETTERS:
            raise LinkDown("the broker does not take what waits")
        self._letters.append(letter)
        self._unwritten += len(letter)
        self._posted.set()

    def _send_letters(self) -> None:
        while self._posted.wait():
            self._posted.clear()
            letters, self._letters, self._unwritten = self._letters, [], 0
            connection = self._connection
            if letters and connection is not None:
                try:
                    self.write(functools.partial(connection.transport.write, b"".join(letters)), None)
                except LinkDown as down:
                    log.info("calls not sent", calls=len(letters), error=logs.kind(down))
                except Exception:  # this greenlet must live on: only it sends later calls
                    log.exception("calls not sent", calls=len(letters))
                    wire.cut(connection)

    def write(self, send: Callable[[], Any], patience: float | None) -> None:
        """Run `send` while no other greenlet writes. Raises LinkDown on a fault, or after `patience` seconds."""
        connection = self._connection
        if connection is None or not self._writing.acquire(timeout=patience):
            raise LinkDown("not connected" if connection is None else "another write takes too long")
        try:
            if self._connection is not connection:
                raise LinkDown("the connection was lost meanwhile")
            send()
        except (OSError, amqp.AMQPError) as error:
            wire.cut(connection)
            raise LinkDown(logs.kind(error)) from error
        finally:
            self._writing.release()

    def _run(self) -> None:
        shortest, longest = BACKOFF
        pause = shortest
        while True:
            connection = self._new_connection()
            try:
                self._open(connection)
                pause = shortest
                self._absence.ended()
                self._read(connection)
            except Exception as error:
                self._absence.missed(error)
            finally:
                self._close(connection)
            gevent.sleep(pause * random.uniform(0.7, 1.3))  # noqa: S311 - only spreads the workers
            pause = min(pause * 2, longest)

    def _new_connection(self) -> amqp.Connection:
        return amqp.Connection(
            **self._address,
            heartbeat=self._heartbeat,
            connect_timeout=SETUP,
            on_blocked=lambda _reason: self._block(True),
            on_unblocked=lambda: self._block(False),
        )

    def _block(self, blocked: bool) -> None:
        log.warning("broker takes no messages" if blocked else "broker takes messages again")
        self.blocked = blocked

    def _open(self, connection: amqp.Connection) -> None:
        connection.connect()
        wire.write_only(connection)
        wire.read_ahead(connection, READ_AT_ONCE)
        connection.sock.settimeout(SETUP)
        for user in self._users:
            user.opened(connection)
        connection.sock.settimeout(TICK)
        self._connection = connection
        log.info("broker connected")

    def _read(self, connection: amqp.Connection) -> None:
        ticked = 0.0
        while True:
            with contextlib.suppress(TimeoutError):  # nothing arrived for a tick
                connection.drain_events()
            if time.monotonic() - ticked >= TICK:
                self.write(connection.heartbeat_tick, TICK)
                ticked = time.monotonic()

    def _close(self, connection: amqp.Connection) -> None:
        self._connection, self.blocked = None, False
        self._letters.clear()
        self._unwritten = 0
        for user in self._users:
            user.lost()
        connection.collect()


def declare(connection: amqp.Connection, exchange: str) -> None:
    """Make a topic exchange of the platform. If only the operator may make exchanges, it exists already."""
    wire.declare(
        connection, lambda channel: channel.exchange_declare(exchange, "topic", durable=True, auto_delete=False)
    )


def ear(
    connection: amqp.Connection, queue: str, keys: Sequence[tuple[str, str]], hear: Callable[[amqp.Message], Any]
) -> amqp.Channel:
    """Call `hear` with each message under these keys, (exchange, key). Its queue ends with the connection.

    Messages that pass while the connection is lost are not heard. Bodies are bytes.
    """
    for exchange in {exchange for exchange, _ in keys}:
        declare(connection, exchange)
    channel = connection.channel()
    channel.auto_decode = False
    channel.queue_declare(queue, exclusive=True, auto_delete=True)
    for exchange, key in keys:
        channel.queue_bind(queue, exchange, key)
    channel.basic_consume(queue, no_ack=True, callback=hear)
    return channel
