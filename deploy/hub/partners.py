"""`hub partner`: other systems that may listen, each with a user and a queue of its own, both called `ext.<name>`.

A partner may only read its queue. The operator binds messages to the queue here. RabbitMQ itself enforces this (by its
access control, with a user that may configure and write nothing), and the limits.
"""

import re
import secrets
from typing import Any
from urllib.parse import quote, urlsplit

import amqp
import click

from deploy.hub import Trouble, bus, screen, settings
from deploy.hub.bus import PREFIX, connection, look
from deploy.hub.management import Management, management
from deploy.hub.patterns import matching
from deploy.hub.verbs import Noun
from services.contracts.catalogue import EXCHANGE

TAG = "partner"  # marks the users of partners; it gives no rights
LIMITS = {"max-connections": 5, "max-channels": 20}
NAME = re.compile(r"[a-z][a-z0-9-]{1,39}")

RECIPE = """{name} may hear {heard}.

Its password is shown this once; it is the partner's alone:
export AMQP_URI='{uri}' QUEUE={queue}

To hear messages in Python (package pika):
python3 -c '
import os, pika
channel = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URI"])).channel()
for method, _, body in channel.consume(os.environ["QUEUE"]):
    print(body.decode(), flush=True)
    channel.basic_ack(method.delivery_tag)
'

What they say is told at /bus of the gateway. What is not fetched waits, until there are 100,000 messages or 256 MiB of
them; then the oldest are dropped. What is given back comes again, up to a million times. A queue that nobody reads for
7 days is removed."""


@click.group(cls=Noun)
def partner() -> None:
    """Other systems that may listen."""


def _queue(name: str) -> str:
    """The name of a partner's queue and user. Raises Trouble if the partner's name is malformed."""
    if not NAME.fullmatch(name):
        raise Trouble("A partner's name has 2 to 40 of the signs a-z, 0-9 and -, and begins with a letter.")
    return PREFIX + name


def _heard(patterns: tuple[str, ...]) -> list[str]:
    """The messages that match these patterns. Raises Trouble for a pattern that matches no public message."""
    return sorted({key for pattern in patterns for key in matching(pattern)})


@partner.command()
@click.argument("name")
@click.option("--messages", "patterns", multiple=True, required=True, metavar="PATTERN", help="Such as 'events.*'.")
@click.option("--at", "place", metavar="HOST[:PORT]", help="The broker as the partner sees it, if not as we do.")
@screen.as_json
def add(name: str, patterns: tuple[str, ...], place: str | None, as_json: bool) -> None:
    """Let another system hear messages. Prints its queue, its password and instructions to connect."""
    queue, heard, password = _queue(name), _heard(patterns), secrets.token_urlsafe(24)
    api = management()
    with connection() as opened:
        if api.get("users", queue) or look(opened, queue):
            raise Trouble(
                f"There is a partner {name} already.", f"Take another name, or first hub partner remove {name}."
            )
        try:
            _bind(opened, queue, patterns)
            _admit(api, queue, password)
        except BaseException:
            _dismiss(api, opened, queue)
            raise
    uri = _uri(queue, password, place)
    if as_json:
        screen.dump({"name": name, "queue": queue, "messages": heard, "uri": uri})
    else:
        click.echo(RECIPE.format(name=name, heard=", ".join(heard), uri=uri, queue=queue))


def _bind(opened: amqp.Connection, queue: str, patterns: tuple[str, ...]) -> None:
    with opened.channel() as channel:
        channel.queue_declare(queue, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"})
        for pattern in patterns:
            try:
                channel.queue_bind(queue, EXCHANGE, pattern)
            except amqp.NotFound:
                raise Trouble(
                    f"There is no exchange {EXCHANGE} here: no service has ever run on this broker."
                ) from None


def _admit(api: Management, user: str, password: str) -> None:
    """Make the user. Its rights come last, so that it never has rights without limits."""
    api.put("users", user, password=password, tags=TAG)
    for limit, value in LIMITS.items():
        api.put("user-limits", user, limit, value=value)
    api.put("permissions", api.vhost, user, configure="^$", write="^$", read=f"^{re.escape(user)}$")


def _dismiss(api: Management, opened: amqp.Connection, queue: str) -> int | None:
    """Delete user and queue. Returns the number of messages in the queue, or None if neither existed."""
    there = api.delete("users", queue)
    left = look(opened, queue)
    with opened.channel() as channel:
        unread = int(channel.queue_delete(queue))
    return unread if there or left else None


def _uri(user: str, password: str, place: str | None) -> str:
    ours = settings.need("AMQP_URI")
    return f"{urlsplit(ours).scheme}://{user}:{password}@{place or bus.where(ours)}/{quote(bus.vhost(ours), '')}"


@partner.command("list")
@screen.as_json
def list_them(as_json: bool) -> None:
    """All partners, with their messages, the number that wait, and the number of connected readers."""
    api = management()
    names = sorted(each["name"] for each in api.get("users") or [] if TAG in each["tags"])
    with connection() as opened:
        rows = [_row(api, opened, queue) for queue in names]
    if as_json:
        screen.dump(rows)
    elif not rows:
        click.echo("There are no partners.")
    else:
        heads = ("partner", "#waiting", "#listening", "messages")
        screen.table(heads, [(r["name"], r["ready"], r["consumers"], ", ".join(r["patterns"])) for r in rows])


def _row(api: Management, opened: amqp.Connection, queue: str) -> dict[str, Any]:
    found = look(opened, queue)
    bindings = api.get("queues", api.vhost, queue, "bindings") if found else None
    return {
        "name": queue.removeprefix(PREFIX),
        "ready": found and found.ready,
        "consumers": found and found.consumers,
        "patterns": [each["routing_key"] for each in bindings or [] if each["source"] == EXCHANGE],
    }


@partner.command()
@click.argument("name")
def remove(name: str) -> None:
    """Take a partner's access away at once, and delete its queue with the waiting messages."""
    queue = _queue(name)
    with connection() as opened:
        unread = _dismiss(management(), opened, queue)
    if unread is None:
        raise Trouble(f"There is no partner {name}.", "hub partner list shows all.")
    click.echo(f"{name} may hear no more; {screen.counted(unread, 'message')} waited for it.")
