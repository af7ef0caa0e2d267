"""`python -m deploy.hub …`, or `.venv/bin/hub …`: see `--help`."""

import sys

import click

from deploy.hub.backup import backup
from deploy.hub.dead import dead
from deploy.hub.doctor import doctor
from deploy.hub.partners import partner
from deploy.hub.people import admin, events, members
from deploy.hub.queues import queues
from deploy.hub.replay import replay
from deploy.hub.restore import restore
from deploy.hub.tail import tail
from deploy.hub.trace import trace


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def hub() -> None:
    """Look after a running Hearth.

    The platform is the one that AMQP_URI and MONGO_URI name, or else the one that this checkout runs.
    """


for command in (doctor, tail, trace, queues, dead, replay, partner, backup, restore, admin, members, events):
    hub.add_command(command)


def main() -> None:
    """Runs the command line. Ctrl-C ends it with code 130, a closed pipe ends it quietly."""
    try:
        code = hub.main(prog_name="hub", standalone_mode=False)
    except click.ClickException as problem:
        problem.show()
        code = problem.exit_code
    except click.Abort:
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
