"""`hub queues`: the platform's queues with their messages and consumers, and the orphans among them."""

from typing import Any

import amqp
import click

from deploy.hub import Trouble, screen, settings
from deploy.hub.bus import connection, look
from deploy.hub.management import Management
from deploy.hub.orphans import Orphan, expected, orphans
from deploy.hub.verbs import Noun
from deploy.local.given import MANAGEMENT


@click.group(cls=Noun, invoke_without_command=True)
@screen.as_json
@click.pass_context
def queues(context: click.Context, as_json: bool) -> None:
    """The queues of the platform. Without a verb: list."""
    if not context.invoked_subcommand:
        context.invoke(list_them, as_json=as_json)


@queues.command("list")
@screen.as_json
def list_them(as_json: bool) -> None:
    """Messages and consumers of each queue. Unsettled messages that a consumer holds are not counted."""
    with connection() as opened:
        rows = [_row(opened, name, purpose) for name, purpose in expected().items()]
        rows += [_row(opened, each.queue, _says(each)) for each in _orphans(opened)]
    if as_json:
        names = ("queue", "exists", "ready", "consumers", "orphan")
        screen.dump([{name: row[name] for name in names} for row in rows])
    else:
        shown = ("queue", "ready", "consumers", "purpose")
        screen.table(("queue", "#ready", "#consumers", "what for"), [[row[name] for name in shown] for row in rows])


@queues.command()
@click.argument("queue")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(queue: str, yes: bool) -> None:
    """Remove an orphan: a QUEUE without a handler, with all its messages."""
    if queue in expected():
        raise Trouble(f"{queue} is no orphan: {expected()[queue]}.")
    with connection() as opened:
        found = next((each for each in _orphans(opened) if each.queue == queue), None)
        if found is None:
            raise Trouble(f"There is no orphan {screen.plain(queue)}.", "hub queues list shows them.")
        if found.ready and not yes:
            click.confirm(f"{screen.counted(found.ready, 'message')} will be gone for good. Go on?", abort=True)
        opened.channel().queue_delete(queue)
    click.echo(f"{queue} is gone.")


def _row(opened: amqp.Connection, name: str, purpose: str) -> dict[str, Any]:
    state = look(opened, name)
    return {
        "queue": name,
        "exists": bool(state),
        "ready": state and state.ready,
        "consumers": state and state.consumers,
        "orphan": name not in expected(),
        "purpose": purpose if state else "is not there",
    }


def _says(orphan: Orphan) -> str:
    return f"orphan{', still bound' if orphan.bound else ''}: hub queues remove {orphan.queue}"


def _orphans(opened: amqp.Connection) -> list[Orphan]:
    url = settings.environment().get(MANAGEMENT)
    try:
        return orphans(opened, Management(url) if url else None)
    except Trouble as trouble:
        click.echo(f"Orphans were not looked for: {trouble.says}", err=True)
        return []
