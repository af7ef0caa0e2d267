"""`hub queues`: how full the platform's queues are, and who empties them."""

import click

from deploy.hub import known, screen, settings
from deploy.hub.bus import connection, look
from deploy.hub.letters import DEAD


def expected() -> dict[str, str]:
    """The queues that the platform needs, each with what it is for."""
    return {
        **{queue: f"hears {type}" for queue, type in known.handlers().items()},
        **{known.retry_queue(delay): "waits for the next try" for delay in settings.retry_delays()},
        DEAD: "what could not be handled: hub dead list",
        "unheard": "what no queue is bound to",
        **{known.RPC_QUEUE.format(name): "answers calls" for name in known.capabilities()},
    }


@click.command()
@screen.as_json
def queues(as_json: bool) -> None:
    """Messages and consumers of each queue. What a consumer holds unsettled just now is not counted."""
    with connection() as opened:
        found = [(name, look(opened, name), purpose) for name, purpose in expected().items()]
    if as_json:
        screen.dump(
            [
                {
                    "queue": name,
                    "exists": bool(state),
                    "ready": state and state.ready,
                    "consumers": state and state.consumers,
                }
                for name, state, _ in found
            ]
        )
        return
    rows = [
        (name, state and state.ready, state and state.consumers, what if state else "is not there")
        for name, state, what in found
    ]
    screen.table(("queue", "#ready", "#consumers", "what for"), rows)
