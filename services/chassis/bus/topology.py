"""The exchanges and queues on the broker, each made by a function that is given a channel.

To list rights or write documents, `deploy/rights.py` gives these functions a channel that only takes notes.
"""

from collections.abc import Iterable

import amqp

from services.contracts.catalogue import EXCHANGE, PRIVATE, Message
from services.ground import logs

DEAD = "dead"
UNHEARD = "unheard"
RPC_EXCHANGE = "nameko-rpc"
QUORUM = {"x-queue-type": "quorum"}


class TopologyDrift(logs.Plain):
    """A queue or exchange exists with other arguments than this version declares. A live one can't be changed."""


class NamedTwice(logs.Plain):
    """Two handlers declare the same queue, or one handler declares a queue that another has retired."""


def declare_exchanges(channel: amqp.Channel) -> None:
    """Declare the exchanges that every service uses, and the queues for dead and for unheard messages."""
    for name in (EXCHANGE, PRIVATE, RPC_EXCHANGE):
        channel.exchange_declare(name, "topic", durable=True, auto_delete=False)
    for name in (DEAD, UNHEARD):
        channel.exchange_declare(name, "fanout", durable=True, auto_delete=False)
        channel.queue_declare(name, durable=True, auto_delete=False, arguments=QUORUM)
        channel.queue_bind(name, name)


def declare_handler(channel: amqp.Channel, queue: str, message: Message) -> None:
    """Declare the queue of a handler."""
    channel.queue_declare(queue, durable=True, auto_delete=False, arguments=QUORUM)
    channel.queue_bind(queue, message.exchange, message.key)


def retire_handler(channel: amqp.Channel, queue: str, message: Message) -> None:
    """Unbind the queue that a handler had under a former name. It may be gone already."""
    channel.queue_unbind(queue, message.exchange, message.key)


def exists(connection: amqp.Connection, queue: str) -> bool:
    """True if the broker has a queue of this name."""
    try:
        with connection.channel() as channel:
            channel.queue_declare(queue, passive=True)
    except amqp.NotFound:
        return False
    return True


def declare_retries(channel: amqp.Channel, delays: Iterable[int]) -> None:
    """Declare the queues in which messages of all handlers wait between two tries, for each delay in seconds."""
    for seconds in delays:
        name = f"retry.{delay_name(seconds)}"
        # The routing key stays: when a message's time is up, the default exchange returns it to the queue that the
        # key names. The arguments never change, as the queue's name tells them.
        arguments = QUORUM | {
            "x-message-ttl": seconds * 1000,
            "x-dead-letter-exchange": "",
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }
        channel.exchange_declare(retry_exchange(seconds), "topic", durable=True, auto_delete=False)
        channel.queue_declare(name, durable=True, auto_delete=False, arguments=arguments)
        channel.queue_bind(name, retry_exchange(seconds), "#")


def retry_exchange(seconds: int) -> str:
    """The exchange that leads to a retry queue, of type topic, so that rights can name the queues of return."""
    return f"retry.{delay_name(seconds)}.in"


def delay_name(seconds: int) -> str:
    """The name of a delay in the names of queues: `5s`, `2m`."""
    return f"{seconds // 60}m" if seconds >= 60 and seconds % 60 == 0 else f"{seconds}s"
