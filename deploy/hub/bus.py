"""The broker for operators: connections with deadlines, queues, and calls to the capabilities.

Every error between us and the broker is raised as Trouble.
"""

import ssl
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import amqp
import orjson

from deploy.hub import Trouble, settings
from services.contracts.calling import Call
from services.contracts.errors import Refusal, Unavailable, revive
from services.ground import clock

PATIENCE = 3.0  # seconds that the broker has for a connection and for each answer
PAGE = 100  # items that one answer has at most
RPC_EXCHANGE = "nameko-rpc"
PREFIX = "ext."  # of the users and queues of partners
OPERATORS = "Name the operator's address in AMQP_URI, or unset it: hub then looks at the platform of this checkout."


class Queue(NamedTuple):
    """The facts that AMQP gives about a queue. `ready` counts the messages that no consumer holds."""

    name: str
    ready: int
    consumers: int


def where(uri: str) -> str:
    """The host and port of an AMQP URI. Other parts of it must not be shown."""
    parts = urlsplit(uri)
    host = parts.hostname or "localhost"
    return f"{f'[{host}]' if ':' in host else host}:{parts.port or (5671 if parts.scheme == 'amqps' else 5672)}"


def user_of(uri: str) -> str:
    """The user as whom an AMQP URI connects."""
    return unquote(urlsplit(uri).username or "guest")


def vhost(uri: str) -> str:
    """The virtual host of an AMQP URI."""
    return unquote(urlsplit(uri).path[1:]) or "/"


@contextmanager
def connection(on_blocked: Callable[[str], Any] | None = None) -> Iterator[amqp.Connection]:
    """A connection while the block lasts. AMQP and socket errors in the block become Trouble.

    With the address of a partner there is none: the broker would refuse nearly all, and tell the rest to some versions.
    """
    uri = settings.need("AMQP_URI")
    parts, user = urlsplit(uri), user_of(uri)
    if user.startswith(PREFIX):
        raise Trouble(
            f"AMQP_URI is that of the partner {user}, who may read a queue of its own and no more.", OPERATORS
        )
    made = amqp.Connection(
        where(uri),
        userid=user,
        password=unquote(parts.password or "guest"),
        virtual_host=vhost(uri),
        ssl={"server_hostname": parts.hostname, "cert_reqs": ssl.CERT_REQUIRED} if parts.scheme == "amqps" else False,
        connect_timeout=PATIENCE,
        read_timeout=PATIENCE,
        write_timeout=PATIENCE,
        on_blocked=on_blocked,
        client_properties={"product": "hub", "connection_name": "hub"},
    )
    try:
        made.connect()
    except (OSError, amqp.AMQPError) as error:
        made.collect()
        raise Trouble(
            f"The broker at {where(uri)} does not let us in ({_why(error)}).",
            "See whether it runs, and whether AMQP_URI has the right address, user and virtual host.",
        ) from None
    try:
        yield made
    except amqp.AccessRefused as error:
        raise Trouble(
            f"The broker refuses this to {user}, whose address AMQP_URI is ({_why(error)}).", OPERATORS
        ) from None
    except (OSError, amqp.AMQPError) as error:
        raise Trouble(f"The broker at {where(uri)} gave up on us or took too long ({_why(error)}).") from None
    finally:
        with suppress(OSError, amqp.AMQPError):
            made.close()
        made.collect()


def _why(error: Exception) -> str:
    return str(getattr(error, "reply_text", None) or error) or type(error).__name__


def look(connection: amqp.Connection, queue: str) -> Queue | None:
    """A queue as it is now, or None if it does not exist."""
    try:
        with connection.channel() as channel:
            found = channel.queue_declare(queue, passive=True)
    except amqp.NotFound:
        return None
    return Queue(queue, found.message_count, found.consumer_count)


def differs(connection: amqp.Connection, queue: str) -> str | None:
    """The difference of a queue from a durable quorum queue without other arguments, in the broker's words, or None."""
    try:
        with connection.channel() as channel:
            channel.queue_declare(queue, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"})
    except amqp.PreconditionFailed as error:
        return _why(error)
    return None


def ask(
    connection: amqp.Connection, targets: Sequence[str], within: float, arguments: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Call `<capability>.<method>`, all at once, with the same arguments. Collect for `within` seconds what they say.

    A refusal takes the place of its answer. Targets without an answer are missing.
    """
    answers: dict[str, Any] = {}
    asked = {str(uuid.uuid4()): target for target in targets}
    channel = connection.channel()

    def take(message: amqp.Message) -> None:
        answer = orjson.loads(message.body)
        target = asked[message.properties["correlation_id"]]
        answers[target] = revive(answer["error"]) if answer["error"] else answer["result"]

    def returned(_error: Exception, _exchange: str, key: str, _message: amqp.Message) -> None:
        answers[key] = Unavailable("no_queue", "It has no queue on this broker.")

    channel.events["basic_return"].add(returned)
    reply_to = str(uuid.uuid4())
    queue = channel.queue_declare("", exclusive=True).queue
    try:
        channel.queue_bind(queue, RPC_EXCHANGE, reply_to)
    except amqp.NotFound:
        return {target: Unavailable("no_exchange", "No service has ever run on this broker.") for target in targets}
    channel.basic_consume(queue, callback=take, no_ack=True)
    headers = {"nameko.deadline": clock.unmoved_ns() / 1e9 + within}
    body = orjson.dumps({"args": [], "kwargs": arguments or {}})
    for correlation_id, target in asked.items():
        properties = {"content_type": "application/json", "reply_to": reply_to, "correlation_id": correlation_id}
        call = amqp.Message(body, application_headers=headers, **properties)
        channel.basic_publish(call, RPC_EXCHANGE, target, mandatory=True)
    until = time.monotonic() + within
    while len(answers) < len(asked) and (left := until - time.monotonic()) > 0:
        with suppress(TimeoutError):
            connection.drain_events(timeout=left)
    return answers


def answer(target: str, within: float, **arguments: Any) -> Any:
    """What one method says. Raises Trouble when it refuses, or does not answer within so many seconds."""
    with connection() as opened:
        found = ask(opened, [target], within, arguments)
    if target not in found:
        raise Trouble(f"{target} did not answer within {within:.0f} s; `hub doctor` may know why.")
    if isinstance(found[target], Refusal):
        raise Trouble(f"{target}: {found[target].says}")
    return found[target]


def listed(call: Call, most: int, **query: Any) -> tuple[list[dict[str, Any]], bool]:
    """At most so many items of a call that gives pages, and whether there are more of them."""
    items: list[dict[str, Any]] = []
    cursor = None
    while len(items) < most:
        asked = {**query, "limit": min(most - len(items), PAGE), "cursor": cursor}
        page = answer(call.target, call.seconds + PATIENCE, query=asked)
        items, cursor = items + page["items"], page["next"]
        if cursor is None:
            break
    return items, cursor is not None
