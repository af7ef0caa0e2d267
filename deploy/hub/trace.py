"""`hub trace`: follow one request through the logs of all processes."""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import orjson
from rich.text import Text

from deploy.hub import Trouble, screen
from deploy.local.platform import ROOT

LOGS = ROOT / ".hearth" / "logs"
COLOURS = {"debug": "dim", "info": "green", "warning": "yellow", "error": "red", "critical": "red"}
SHOWN = ("at", "process", "event", "level", "ms", "correlation_id")  # apart from the other facts
_prefixed = re.compile(r"^(?:\d\d:\d\d:\d\d )?[\w.-]+ +\| ").match  # by compose and `make run`: the process's name
_coloured = re.compile(r"\x1b\[[0-9;]*m").sub
_told = re.compile(r"^\[(?P<level>\w+) *\] (?P<rest>.*)$").match
_facts = re.compile(r"(?:^| )([A-Za-z_]\w*)=('(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|\[[^\]]*\]|\{[^}]*\}|\S*)").finditer


@dataclass(frozen=True)
class Line:
    """A line in the log of a process. `at` is the start of the work that it reports, `ms` the duration."""

    at: datetime
    process: str
    event: str
    level: str
    ms: float | None
    facts: dict[str, Any]


@click.command()
@click.argument("id")
@click.argument("logs", nargs=-1, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@screen.as_json
def trace(id: str, logs: tuple[str, ...], as_json: bool) -> None:
    """Follow a request through the logs, by the start of each step. ID is its X-Request-ID, or the id of a message.

    LOGS are files, or - for piped input (docker compose logs | hub trace ID -). Without LOGS, the logs of this
    checkout's platform are read. The trace of an anonymous voice ends at its raising.
    """
    found = sorted(lines(_read(logs or _own()), id), key=lambda line: line.at)
    if not found:
        raise Trouble(f"No line belongs to {screen.plain(id, 80)}.", "Logs are kept for two runs, and from INFO on.")
    if as_json:
        screen.dump([asdict(line) for line in found])
        return
    for line in found:
        screen.console().print(_shown(line, found[0].at), soft_wrap=True)


def _own() -> tuple[str, ...]:
    found = sorted(map(str, LOGS.glob("*.log*")))
    if not found:
        raise Trouble("This checkout has no logs.", "Name files, or pipe them in: docker compose logs | hub trace ID -")
    return tuple(found)


def _read(logs: Iterable[str]) -> Iterator[str]:
    for name in logs:
        if name == "-":
            yield from sys.stdin
        else:
            with Path(name).open(errors="replace") as file:
                yield from file


def lines(said: Iterable[str], id: str) -> Iterator[Line]:
    """The lines that belong to a request or a message. Lines in another format are skipped."""
    for text in said:
        if id in text and (facts := _parse(text)) and id in (facts.get("correlation_id"), facts.get("message_id")):
            try:
                yield _line(facts)
            except (KeyError, ValueError, TypeError, OverflowError):
                continue


def _line(facts: dict[str, Any]) -> Line:
    ms = float(facts["ms"]) if "ms" in facts else None
    began = datetime.fromisoformat(facts["at"]).astimezone(UTC) - timedelta(milliseconds=ms or 0)
    others = {name: value for name, value in facts.items() if name not in SHOWN}
    return Line(began, str(facts["process"]), str(facts["event"]), str(facts["level"]), ms, others)


def _parse(text: str) -> dict[str, Any] | None:
    """The facts of a line in JSON or in the text format, or None."""
    text = _coloured("", text).strip()
    if prefix := _prefixed(text):
        text = text[prefix.end() :]
    if text.startswith("{"):
        try:
            found = orjson.loads(text)
        except orjson.JSONDecodeError:
            return None
        return found if isinstance(found, dict) else None
    told = _told(text)
    if told is None:
        return None
    pairs = list(_facts(told["rest"]))
    event = told["rest"][: pairs[0].start()].strip() if pairs else told["rest"]
    return {"level": told["level"], "event": event} | {each[1]: _value(each[2]) for each in pairs}


def _value(text: str) -> str:
    try:
        return str(ast.literal_eval(text)) if text[:1] in ("'", '"') else text
    except (ValueError, SyntaxError):
        return text


def _shown(line: Line, first: datetime) -> Text:
    since = (line.at - first) / timedelta(milliseconds=1)
    took = "" if line.ms is None else f"{line.ms:,.1f} ms"
    facts = "  ".join(f"{screen.plain(name, 30)}={_last(value)}" for name, value in sorted(line.facts.items()))
    return Text.assemble(
        (f"{line.at.astimezone():%H:%M:%S}.{line.at.microsecond // 1000:03}", "dim"),
        f" {since:+9,.1f} ms  ",
        (f"{screen.plain(line.process, 14):14}", "bold"),
        (f" {screen.plain(line.event, 40):16}", COLOURS.get(line.level, "")),
        f" {took:>10}  ",
        (facts, "dim"),
    )


def _last(value: Any) -> str:
    """The last line of a fact, which of a traceback is the error."""
    return screen.plain((str(value).strip().splitlines() or [""])[-1], 80)
