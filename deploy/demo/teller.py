"""Prints the story for a terminal of 100 columns, or into a file."""

import sys

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

WIDTH = 100


def console() -> Console:
    """A console as wide as the terminal, up to WIDTH. Without a terminal it has WIDTH columns."""
    width = min(Console().width, WIDTH) if sys.stdout.isatty() else WIDTH
    return Console(width=width, highlight=False)


class Teller:
    """Prints the story. Texts are rich's markup. Members' own texts go through `quoted`."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def chapter(self, title: str) -> None:
        self.console.print()
        self.console.rule(f"[b]{title}[/b]", align="left", style="dim")

    def say(self, *texts: str) -> None:
        for text in texts:
            self.console.print(text)

    def times(self, seconds: dict[str, float]) -> None:
        """Print each statement with the seconds after which it became true, in that order."""
        for what, after in sorted(seconds.items(), key=lambda each: each[1]):
            self.say(f"  after [b]{after * 1000:4.0f} ms[/b]  {what}")

    def table(self, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
        table = Table(*columns, box=box.SIMPLE_HEAD, show_edge=False, header_style="dim", padding=(0, 1))
        for row in rows:
            table.add_row(*row)
        for column in table.columns[:-1]:
            column.no_wrap = True
        self.console.print(table)

    def beside(self, texts: dict[str, list[str]]) -> None:
        """Print texts to compare, in columns of the same width."""
        table = Table(*texts, box=box.SIMPLE_HEAD, show_edge=False, header_style="dim", padding=(0, 1), expand=True)
        for column in table.columns:
            column.ratio = 1
        for row in zip(*texts.values(), strict=True):
            table.add_row(*map(escape, row))
        self.console.print(table)


def quoted(text: str) -> str:
    """A member's text, quoted and escaped for markup."""
    return f"[b]“{escape(text)}”[/b]"
