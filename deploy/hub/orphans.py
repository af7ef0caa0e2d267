"""Queues without a handler: those left after a handler was renamed or removed."""

import re
from typing import NamedTuple

import amqp

from deploy.hub import known, screen, settings
from deploy.hub.bus import connection, look
from deploy.hub.finding import Finding, Findings
from deploy.hub.letters import DEAD
from deploy.hub.management import Management

FULL = 1000  # messages from which on an orphan that is still bound counts as wrong


class Orphan(NamedTuple):
    """An orphaned queue with `ready` messages. `bound` is True if the management API says that it still gets more."""

    queue: str
    ready: int
    bound: bool


def expected() -> dict[str, str]:
    """The queues that the platform needs, each with its purpose."""
    return {
        **{queue: f"hears {type}" for queue, type in known.handlers().items()},
        **{known.retry_queue(delay): "waits for the next try" for delay in settings.retry_delays()},
        DEAD: "what could not be handled: hub dead list",
        "unheard": "what no queue is bound to",
        **{known.RPC_QUEUE.format(name): "answers calls" for name in known.capabilities()},
    }


def orphans(opened: amqp.Connection, api: Management | None) -> list[Orphan]:
    """The orphans. With the management API all are found, without it only those that a declaration names as retired."""
    needed, names = expected(), set(known.retired())
    if api is not None:
        ours = re.compile(rf"(rpc-)?({'|'.join(known.services())})\.")
        names |= {each["name"] for each in api.get("queues", api.vhost) or [] if ours.match(each["name"])}
    found = (look(opened, name) for name in sorted(names - needed.keys()))
    return [Orphan(each.name, each.ready, _bound(api, each.name)) for each in found if each]


def check(url: str | None) -> Findings:
    """Look for orphans. With the management API at `url`, find undeclared ones, too.

    A bound orphan fills up until the broker refuses its messages, and then other queues do not get them either.
    """
    with connection() as opened:
        found = orphans(opened, Management(url) if url else None)
    for each in found:
        filling = " Messages are still put there." if each.bound else ""
        yield Finding(
            "wrong" if each.bound and each.ready >= FULL else "watch",
            f"queue {each.queue}",
            f"orphan: no handler has it; waiting: {screen.counted(each.ready, 'message')}.{filling}",
            f"hub queues remove {each.queue}",
        )
    if not found:
        yield Finding("ok", "orphans", "no queue is left over." if url else "no retired queue is left over.")


def _bound(api: Management | None, queue: str) -> bool:
    bindings = api.get("queues", api.vhost, queue, "bindings") if api is not None else None
    return any(each["source"] for each in bindings or [])
