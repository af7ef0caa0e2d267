"""py-amqp below its surface: its private parts are touched here and nowhere else.

Both loops need the same of a connection, and py-amqp offers none of it. Nothing here waits by itself, so it works under
either. The version of py-amqp is pinned; `tests/ground/test_wire.py` says which of its private parts must be there.
"""

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import amqp

from services.ground import logs
from services.ground.logs import log

Write = Callable[[bytes], Any]


def write_only(connection: amqp.Connection) -> None:
    """Have publishing read nothing. To be said once the connection is open.

    With the capability `connection.blocked`, py-amqp reads the socket at each publish, in a race with whoever reads.
    The broker was told already that we understand it, and still tells us when it blocks.
    """
    known = connection.client_properties
    connection.client_properties = {**known, "capabilities": {**known["capabilities"], "connection.blocked": False}}


def read_ahead(connection: amqp.Connection, at_once: int) -> None:
    """Take up to so many bytes in one system call, instead of three calls a frame (nine a message).

    The transport keeps what a read brought beyond the bytes that it asked for, so more may be given to it.
    """
    transport = connection.transport
    receive = transport._quick_recv
    transport._quick_recv = lambda wanted: receive(max(wanted, at_once))


def divert(connection: amqp.Connection, put: Write) -> Write:
    """Give whole frames to `put` instead of the socket; returns what writes to the socket.

    `put` copies what it is given: py-amqp writes the next frames into the same memory.
    """
    transport = connection.transport
    write: Write = transport._write
    transport._write = put
    return write


def cut(connection: amqp.Connection) -> None:
    """End a connection that can't be written to, perhaps since half a frame: whoever reads finds it lost."""
    transport = connection._transport  # asked for by its public name, it would connect once more
    with suppress(OSError, AttributeError):  # it may have ended already
        transport.sock.shutdown(socket.SHUT_RDWR)


def declare(connection: amqp.Connection, *declarations: Callable[[amqp.Channel], None]) -> None:
    """Make what we use. Who may not declare finds what the operator has made (`deploy/rabbitmq/rights.json`)."""
    try:
        with connection.channel() as channel:
            for each in declarations:
                each(channel)
    except amqp.AccessRefused as refused:
        log.debug("not ours to declare", error=logs.kind(refused))
