"""`python -m deploy.demo`: missing people join, then the story is told. Exits 1 if something does not happen."""

import argparse
import os
import sys
from contextlib import closing
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.demo import StoryBroken, joining, people
from deploy.demo.bus import Subscriber
from deploy.demo.hub import Visitor
from deploy.demo.story import READER, Story
from deploy.demo.teller import Teller, console
from deploy.local.door import EVERYWHERE
from deploy.local.platform import ROOT
from services.ground import clock


def _url() -> str:
    host, port = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000"
    return f"http://{'127.0.0.1' if host in EVERYWHERE else host}:{port}"


def _populate(
    screen: Console, bus: Subscriber, door: Visitor, everybody: list[people.Person], password: str
) -> Visitor:
    """Lets the missing people join; returns the first administrator."""
    administrator, made = joining.found(door, everybody[0], password)
    known = {card["name"] for card in administrator.each("/v1/members")}
    missing = [person for person in everybody if person.name not in known]
    new = {str(administrator.id)} if made else set()
    if missing:
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        with Progress(*columns, console=screen) as progress:
            task = progress.add_task("They are invited and join", total=len(missing))
            new |= joining.join(administrator, missing, password, lambda: progress.advance(task))
    if new:
        joining.welcome(administrator, bus, new, {card["id"] for card in administrator.each("/v1/members")})
    return administrator


def main(base: Path) -> None:
    """Tells everything. Raises StoryBroken."""
    url, uri = _url(), os.environ.get("AMQP_URI")
    if not uri:
        raise StoryBroken("AMQP_URI is not set; `make demo` runs this with the settings of the running platform.")
    if file := os.environ.get("CLOCK_FILE"):
        clock.follow(Path(file))
    screen, everybody, password = console(), people.read(), joining.password(base)
    door = Visitor(url)
    with closing(Subscriber(uri)) as bus:
        administrator = _populate(screen, bus, door, everybody, password)
        cards = list(administrator.each("/v1/members"))
        countries = len({card["country"] for card in cards} - {""})
        screen.print(f"The hub has [b]{len(cards)} members[/b] from {countries} countries.")
        Story(Teller(screen), bus, door, everybody, cards, password).tell()
    reader = next(person for person in everybody if person.name == READER)
    screen.print(f"\nIt goes on running. Open [b]{url}[/b] in a browser (the API: [b]{url}/docs[/b]). To sign in:")
    screen.print(f"  a member          {reader.email:32} {password}", markup=False)
    screen.print(f"  an administrator  {everybody[0].email:32} {password}", markup=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description="A believable hub, and a story.")
    parser.add_argument("--base", type=Path, default=ROOT / ".hearth", help="where the password is kept")
    try:
        main(parser.parse_args().base)
    except StoryBroken as broken:
        sys.exit(str(broken))
    except KeyboardInterrupt:
        sys.exit(130)
