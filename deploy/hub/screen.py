"""Prints findings, tables and foreign text to a terminal or a file."""

import sys
from collections.abc import Iterable, Sequence

import click
import orjson
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDE = 220  # columns without a terminal: readers of a file or a pipe want whole lines

as_json = click.option("--json", "as_json", is_flag=True, help="For programs: JSON.")


def console() -> Console:
    """A console as wide as the terminal, or of WIDE columns without one."""
    return Console(width=None if sys.stdout.isatty() else WIDE, highlight=False, soft_wrap=False)


def plain(text: object, most: int = 200) -> str:
    """One harmless line. Characters that could control a terminal are replaced, and text beyond `most` is cut."""
    line = "".join(c if c.isprintable() else "·" for c in str(text)[: most + 1])
    return line if len(line) <= most else f"{line[: most - 1]}…"


def counted(number: int, thing: str) -> str:
    """`1 letter`, `2,000 letters`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table. Its last column shrinks if there is not enough room. Columns named `#…` hold numbers."""
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, header_style="dim", padding=(0, 1))
    for index, name in enumerate(columns):
        last = index == len(columns) - 1
        justify = "right" if name.startswith("#") else "left"
        made.add_column(name.lstrip("#") or "#", justify=justify, no_wrap=True, min_width=None if last else 1)  # type: ignore[arg-type]
    for row in rows:
        made.add_row(*(Text("–" if cell is None else plain(cell), overflow="ellipsis") for cell in row))
    console().print(made)


def dump(value: object) -> None:
    """Print a value as indented JSON."""
    click.echo(orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z).decode())
