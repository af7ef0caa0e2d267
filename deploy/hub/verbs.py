"""The grammar of `hub`: a noun, a verb, and which. All nouns have the same verbs: list, show, add, remove, replay."""

import click

FORMER = {"create": "add", "delete": "remove", "drop": "remove"}


class Noun(click.Group):
    """A group of verbs. It also takes the verbs that some nouns had before."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a verb, or of the verb's former name."""
        return super().get_command(ctx, cmd_name) or super().get_command(ctx, FORMER.get(cmd_name, ""))
