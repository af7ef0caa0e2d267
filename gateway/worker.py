"""gunicorn's worker for gevent, with limits on slow clients.

A request must arrive within a time from its first byte to its last. A write has a time limit, too, which grows with its
length. Nothing that a client sent is logged, neither of an unreadable request nor of one that failed.
"""

import errno
import resource
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import gevent
from gevent.socket import socket
from gunicorn import util  # type: ignore[import-untyped]
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.http.errors import (  # type: ignore[import-untyped]
    ExpectationFailed,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)
from gunicorn.http.message import Request  # type: ignore[import-untyped]
from gunicorn.http.parser import RequestParser  # type: ignore[import-untyped]
from gunicorn.workers.ggevent import GeventWorker  # type: ignore[import-untyped]

from gateway import errors
from gateway.door.limits import REFUSED, network_of
from gateway.door.places import Visit
from services.ground import logs
from services.ground.logs import log

IDLE = 2.0  # seconds for the next request of a connection to begin; a stopping worker waits for idle ones, too
STALLED = 10.0  # seconds that any write may take
SLOWEST = 8 * 1024  # bytes per second: a write gets its length divided by this in addition
LARGEST_HEAD = 32 * 1024  # bytes; gunicorn reads the head again with each part that arrives, so it must be short
MOST_UNWANTED = 4 * 1024 * 1024  # bytes of an unused body that are still read, so that its sender can read the answer
OTHER_FILES = 200  # open files besides connections
ABORTED = 255  # after which gunicorn starts another worker

REFUSALS = {  # any other parse error is a ParseException: a bad request
    errors.Late: (408, "Request Timeout"),
    LimitRequestLine: (414, "URI Too Long"),
    LimitRequestHeaders: (431, "Request Header Fields Too Large"),
    ExpectationFailed: (417, "Expectation Failed"),
    UnsupportedTransferCoding: (501, "Not Implemented"),
    InvalidResponseHeader: (500, "Internal Server Error"),
    InvalidResponseHeaderName: (500, "Internal Server Error"),
    ParseException: (400, "Bad Request"),
}


class Connection(socket):
    """A client's connection. It limits the time for each request to arrive and for each write to end."""

    __slots__ = ("_arrives_within", "_until", "visit")

    def __init__(self, client: socket, visit: Visit | None, arrives_within: float) -> None:
        super().__init__(client.family, client.type, client.proto, fileno=client.detach())
        self.visit = visit
        self._arrives_within = arrives_within
        self._until: float | None = None

    def recv(self, *args: Any) -> bytes:
        """The bytes that have arrived; empty if the client has left. Raises Late if a request does not end in time."""
        if self._until is None:
            return self._begin(*args)
        left = self._until - time.monotonic()
        if left <= 0:
            raise errors.Late
        self.settimeout(left)
        try:
            return super().recv(*args)  # type: ignore[no-any-return]
        except TimeoutError:
            raise errors.Late from None

    def _begin(self, *args: Any) -> bytes:
        self.settimeout(IDLE)
        try:
            said: bytes = super().recv(*args)
        except TimeoutError:
            return b""
        self._until = time.monotonic() + self._arrives_within
        return said

    def rest(self) -> None:
        """A request is over: the next may begin."""
        self._until = None

    def sendall(self, data: bytes, flags: int = 0) -> None:
        """Write all bytes. A client that does not read is treated like one that has disconnected."""
        if self.timeout == 0.0:  # a non-blocking write
            super().sendall(data, flags)
            return
        self.settimeout(STALLED + len(data) / SLOWEST)
        try:
            super().sendall(data, flags)
        except TimeoutError:
            REFUSED.labels("unread").inc()
            raise ConnectionResetError(errno.ECONNRESET, "nobody reads") from None


class ShortRequest(Request):  # type: ignore[misc]
    """A request with a limited head, because gunicorn reads it again with each part."""

    def parse(self, unreader: Any) -> Any:
        self.max_buffer_headers = LARGEST_HEAD
        return super().parse(unreader)


RequestParser.mesg_class = ShortRequest  # it has no setting for this


class Worker(GeventWorker):  # type: ignore[misc]
    """One worker process. It counts connections, limits their time, and logs no content."""

    def init_process(self) -> None:
        try:
            super().init_process()
        except Exception as error:  # gunicorn would log it and print its text
            log.critical("died", exc_info=error)
            sys.exit(ABORTED if self.booted else Arbiter.WORKER_BOOT_ERROR)

    def run(self) -> None:
        # By default gevent prints uncaught exceptions with their text.
        gevent.get_hub().print_exception = lambda _context, *failure: logs.uncaught(failure)
        _open_files(self.worker_connections + OTHER_FILES)
        super().run()

    def timeout_ctx(self) -> AbstractContextManager[None]:
        return nullcontext()  # a connection has its own time limits

    def handle(self, listener: Any, client: socket, addr: Any) -> None:
        settings = self.wsgi.config
        visit = None
        if settings["COUNTS_CONNECTIONS"]:
            visit = self.wsgi.entrance.admit(network_of(addr[0] if addr else ""))
            if visit is None:
                _turn_away(client)
                return
        try:
            super().handle(listener, Connection(client, visit, settings["ARRIVES_WITHIN"]), addr)
        finally:
            if visit is not None:
                visit.end()

    def handle_request(self, listener_name: Any, req: Any, sock: Connection, addr: Any) -> None:
        super().handle_request(listener_name, req, sock, addr)
        _read_rest(req)
        sock.rest()

    def handle_error(self, req: Any, client: Connection, addr: Any, exc: BaseException) -> None:
        """Answer an unreadable request with a problem document, and send no part of it back."""
        if isinstance(exc, gevent.GreenletExit):
            return
        found = (said for each, said in REFUSALS.items() if isinstance(exc, each))
        status, reason = next(found, (500, "Internal Server Error"))
        if isinstance(exc, errors.Late):
            REFUSED.labels("late").inc()
        if status == 500:
            log.error("request failed", exc_info=exc)
        else:
            log.info("request unread", error=logs.kind(exc), status=status)
        _say(client, errors.unread(status, reason))


def _read_rest(req: Any) -> None:
    """Read the unused rest of a body. Raises StopIteration to end the connection."""
    left = MOST_UNWANTED
    try:
        while part := req.body.read(8192):
            left -= len(part)
            if left <= 0:
                raise StopIteration
    except (ParseException, OSError):  # the body is late or malformed
        raise StopIteration from None


def _turn_away(client: socket) -> None:
    _say(client, errors.unread(429, "Too Many Requests"))
    client.close()


def _say(client: socket, answer: bytes) -> None:
    try:
        util.write_nonblock(client, answer)
    except OSError as error:
        log.debug("refusal not sent", error=logs.kind(error))


def _open_files(wanted: int) -> None:
    """Raise the limit of open files to the number that the process may need, as far as the system allows."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if now < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most)
        )
