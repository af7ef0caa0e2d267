"""The operators' command line: what is wrong and what to do, messages as they pass, and what to do with the dead ones.

It reads the bus and the store from outside, with connections of its own; no service has to cooperate but to answer.
"""

import click


class Trouble(click.ClickException):
    """A command cannot do what it was asked: `says` why, and `do` what would help, in sentences."""

    def __init__(self, says: str, do: str = "") -> None:
        super().__init__(f"{says} {do}".strip())
        self.says = says
        self.do = do
