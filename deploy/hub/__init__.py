"""The operators' command line: checks with advice, passing messages, dead letters, partners, backups and more.

It reads the bus and the store from outside, over its own connections. Services need only answer calls.
"""

import click


class Trouble(click.ClickException):
    """A command cannot do its work. `says` is the reason and `do` the remedy, both in sentences."""

    def __init__(self, says: str, do: str = "") -> None:
        super().__init__(f"{says} {do}".strip())
        self.says = says
        self.do = do
