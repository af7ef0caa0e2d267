"""`hub dead`: look at dead letters, put them back where they failed, or throw them away."""

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import click
import orjson

from deploy.hub import Trouble, screen
from deploy.hub.bus import connection
from deploy.hub.letters import Letter, Letters
from deploy.hub.verbs import Noun

SHOWN = 20_000  # characters of a body on the screen


@click.group(cls=Noun)
def dead() -> None:
    """Messages that could not be handled."""


@dataclass
class Choice:
    """The letters to deal with: those of these ids (or of all), of this queue (or of any)."""

    ids: Sequence[str]
    queue: str | None
    seen: set[str] = field(default_factory=set)

    def fits(self, letter: Letter) -> bool:
        """True if this is one of them."""
        called = {id for id in self.ids if letter.is_called(id)}
        fits = (self.queue is None or letter.queue == self.queue) and bool(called or not self.ids)
        self.seen |= called if fits else set()
        return fits

    def see_that_all_were_there(self) -> None:
        """Raises Trouble if an id was that of no letter."""
        if unknown := [screen.plain(id) for id in self.ids if id not in self.seen]:
            raise Trouble(f"There is no dead letter {', '.join(unknown)}{self._there}.", "hub dead list shows all.")

    @property
    def _there(self) -> str:
        return f" of {screen.plain(self.queue)}" if self.queue else ""


def choosing(command: Callable[..., None]) -> Callable[..., None]:
    """Add the arguments that choose letters, and give them to the command as a Choice."""

    @wraps(command)
    def chosen(ids: tuple[str, ...], id: tuple[str, ...], queue: str | None, everything: bool, **others: Any) -> None:
        if not (queue or ids or id or everything):
            raise click.UsageError("Say which: an ID, --queue or --all.")
        command(Choice((*ids, *id), queue), **others)

    for option in (
        click.option("--all", "everything", is_flag=True, help="All letters."),
        click.option("--queue", help="The letters that failed in this queue."),
        click.option("--id", multiple=True, hidden=True),  # as it was said before
        click.argument("ids", nargs=-1, metavar="[ID]..."),
    ):
        chosen = option(chosen)
    return chosen


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
        click.echo("hub dead show ID tells more; after the fix, hub dead replay ID (or --queue, --all) tries again.")


@dead.command()
@click.argument("which", metavar="ID")
@click.option("--raw", is_flag=True, help="Nothing but the body, byte for byte.")
def show(which: str, raw: bool) -> None:
    """One letter with its headers and body. ID is the letter's own, that of its message, or its number in the list."""
    found = None
    with connection() as opened, Letters(opened) as letters:
        # Read to the end: letters go back in the order of reading, so stopping halfway would change their order.
        for number, letter in enumerate(letters, 1):
            if found is None and (which == str(number) or letter.is_called(which)):
                found = number, letter
    if found is None:
        raise Trouble(f"There is no dead letter {screen.plain(which)}.", "hub dead list shows all.")
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
def replay(choice: Choice) -> None:
    """Put letters back into the queue that failed, and only there. They get all their tries again.

    ID is a letter's own, or that of its message: then all letters of that message.
    """
    back: Counter[str] = Counter()
    homeless: Counter[str] = Counter()
    with connection() as opened, Letters(opened) as letters:
        for letter in letters:
            if choice.fits(letter):
                (back if letters.send_back(letter) else homeless)[letter.queue or "unknown"] += 1
    for name, count in back.items():
        click.echo(f"{screen.counted(count, 'letter')} went back to {screen.plain(name)}.")
    for name, count in homeless.items():
        click.echo(
            f"{screen.counted(count, 'letter')} stayed: there is no queue {screen.plain(name)} to go back to.", err=True
        )
    choice.see_that_all_were_there()
    if homeless:
        raise Trouble("Not all could be replayed.", "hub dead list shows what is left.")
    if not back:
        raise Trouble("No dead letter matches.", "hub dead list shows all.")


@dead.command()
@choosing
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(choice: Choice, yes: bool) -> None:
    """Throw letters away, for good. ID is a letter's own, or that of its message: then all letters of that message."""
    with connection() as opened, Letters(opened) as letters:
        seen = [letter.id for letter in letters if choice.fits(letter)]
    choice.see_that_all_were_there()
    if not seen:
        raise Trouble("No dead letter matches.", "hub dead list shows all.")
    if not yes:
        click.confirm(f"{screen.counted(len(seen), 'letter')} will be gone for good. Go on?", abort=True)
    removed, wanted = 0, set(seen)
    with connection() as opened, Letters(opened) as letters:
        for letter in letters:
            if letter.id in wanted and choice.fits(letter):
                letters.drop(letter)
                removed += 1
    click.echo(f"{screen.counted(removed, 'letter')} removed.")
