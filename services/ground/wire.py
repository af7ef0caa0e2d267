"""py-amqp below its surface: its private parts are touched here and nowhere else.

The event loops of the services and the gateway need the same of a connection, and py-amqp does not offer it. No
function here waits by itself, so it works under either loop. The version of py-amqp is pinned;
`tests/services/ground/test_wire.py` names the private parts that must be there.
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
    """Stop publishing from reading the socket. Call it once the connection is open.

    With the capability `connection.blocked`, py-amqp reads the socket at each publish, in a race with the reader.
    The broker has already been told that we know the capability, so it still announces when it blocks.
    """
    known = connection.client_properties
    connection.client_properties = {**known, "capabilities": {**known["capabilities"], "connection.blocked": False}}


def read_ahead(connection: amqp.Connection, at_once: int) -> None:
    """Read up to `at_once` bytes in one system call, instead of making three calls a frame (nine a message).

    The transport keeps the bytes beyond those that it asked for, so it may be given more.
    """
    transport = connection.transport
    receive = transport._quick_recv
    transport._quick_recv = lambda wanted: receive(max(wanted, at_once))


def divert(connection: amqp.Connection, put: Write) -> Write:
    """Give whole frames to `put` instead of the socket. Returns the function that writes to the socket.

    `put` must copy its bytes: py-amqp writes the next frames into the same memory.
    """
    transport = connection.transport
    write: Write = transport._write
    transport._write = put
    return write


def cut(connection: amqp.Connection) -> None:
    """End a connection that can't be written to, perhaps in the middle of a frame. Its reader then finds it lost."""
    transport = connection._transport  # asked for by its public name, it would connect once more
    with suppress(OSError, AttributeError):  # it may have ended already
        transport.sock.shutdown(socket.SHUT_RDWR)


def declare(connection: amqp.Connection, *declarations: Callable[[amqp.Channel], None]) -> None:
    """Declare what we use. A user without that right finds what the operator made (`deploy/rabbitmq/rights.json`)."""
    try:
        with connection.channel() as channel:
            for each in declarations:
                each(channel)
    except amqp.AccessRefused as refused:
        log.debug("not ours to declare", error=logs.kind(refused))
