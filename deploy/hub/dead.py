"""`hub dead`: look at dead letters, put them back where they failed, or throw them away."""

import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import click
import orjson

from deploy.hub import Trouble, screen
from deploy.hub.bus import connection
from deploy.hub.letters import Letter, Letters

SHOWN = 20_000  # characters of a body on the screen

Choice = Callable[[Letter], bool]


@click.group()
def dead() -> None:
    """Messages that could not be handled."""


def choosing(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that choose letters."""
    for option in (
        click.option("--all", "everything", is_flag=True, help="All letters."),
        click.option("--id", help="The letter with this id, or all letters of the message with this id."),
        click.option("--queue", help="The letters that failed in this queue."),
    ):
        command = option(command)
    return command


def _choice(queue: str | None, id: str | None, everything: bool) -> Choice:
    if not (queue or id or everything):
        raise click.UsageError("Say which: --queue, --id or --all.")
    return lambda letter: (queue is None or letter.queue == queue) and (id is None or letter.is_called(id))


def _row(number: int, letter: Letter) -> dict[str, Any]:
    names = ("id", "queue", "type", "message", "parked_at", "attempt", "error")
    return {"number": number} | {name: getattr(letter, name) for name in names} | {"bytes": len(letter.body)}


@dead.command("list")
@screen.as_json
def list_them(as_json: bool) -> None:
    """All letters, oldest first."""
    with connection() as opened, Letters(opened) as letters:
        rows = [_row(number, letter) for number, letter in enumerate(letters, 1)]
    if as_json:
        screen.dump(rows)
    elif not rows:
        click.echo("There are no dead letters.")
    else:
        names = ("number", "id", "parked_at", "queue", "type", "error")
        heads = ("#", "id", "since", "failed in", "type", "error")
        screen.table(
            heads, [[str(row[name] or "?")[: 19 if name == "parked_at" else None] for name in names] for row in rows]
        )
        click.echo(
            "hub dead show ID tells more; after the fix, hub dead replay --id ID (or --queue, --all) tries again."
        )


@dead.command()
@click.argument("which", metavar="NUMBER|ID")
@click.option("--raw", is_flag=True, help="Nothing but the body, byte for byte.")
def show(which: str, raw: bool) -> None:
    """One letter with its headers and body."""
    found = None
    with connection() as opened, Letters(opened) as letters:
        # Read to the end: letters go back in the order of reading, so stopping halfway would change their order.
        for number, letter in enumerate(letters, 1):
            if found is None and (which == str(number) or letter.is_called(which)):
                found = number, letter
    if found is None:
        raise Trouble(f"There is no dead letter {screen.plain(which)}.")
    number, letter = found
    if raw:
        sys.stdout.buffer.write(letter.body)
        return
    facts = _row(number, letter) | {"content_type": letter.content_type}
    for name, value in [*facts.items(), *sorted(letter.headers.items())]:
        click.echo(f"{screen.plain(name):20} {screen.plain(value, 2000)}")
    click.echo()
    click.echo(_readable(letter.body))


def _readable(body: bytes) -> str:
    try:
        text = orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode()
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        text = body[:SHOWN].decode(errors="backslashreplace")
    lines = [screen.plain(line, SHOWN) for line in text[:SHOWN].splitlines()] or ["(empty)"]
    if max(len(text), len(body)) > SHOWN:
        lines.append(f"… of {len(body):,} bytes; --raw writes them all.")
    return "\n".join(lines)


@dead.command()
@choosing
def replay(queue: str | None, id: str | None, everything: bool) -> None:
    """Put letters back into the queue that failed, and only there. They get all their tries again."""
    chosen = _choice(queue, id, everything)
    back: Counter[str] = Counter()
    homeless: Counter[str] = Counter()
    with connection() as opened, Letters(opened) as letters:
        for letter in letters:
            if chosen(letter):
                (back if letters.send_back(letter) else homeless)[letter.queue or "unknown"] += 1
    for name, count in back.items():
        click.echo(f"{screen.counted(count, 'letter')} went back to {screen.plain(name)}.")
    for name, count in homeless.items():
        click.echo(
            f"{screen.counted(count, 'letter')} stayed: there is no queue {screen.plain(name)} to go back to.", err=True
        )
    if homeless or not back:
        raise Trouble("Not all could be replayed." if homeless else "No dead letter matches.")


@dead.command()
@choosing
@click.option("--yes", is_flag=True, help="Do not ask.")
def drop(queue: str | None, id: str | None, everything: bool, yes: bool) -> None:
    """Throw letters away, for good."""
    chosen = _choice(queue, id, everything)
    with connection() as opened, Letters(opened) as letters:
        seen = [letter.id for letter in letters if chosen(letter)]
    if not seen:
        raise Trouble("No dead letter matches.")
    if not yes:
        click.confirm(f"{screen.counted(len(seen), 'letter')} will be gone for good. Go on?", abort=True)
    dropped, wanted = 0, set(seen)
    with connection() as opened, Letters(opened) as letters:
        for letter in letters:
            if letter.id in wanted and chosen(letter):
                letters.drop(letter)
                dropped += 1
    click.echo(f"{screen.counted(dropped, 'letter')} dropped.")
