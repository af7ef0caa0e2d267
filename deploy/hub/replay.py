"""`hub replay`: a service announces all that it knows again, so that the copies which others keep can be rebuilt."""

import click

from deploy.hub import Trouble, known
from deploy.hub.bus import answer

METHODS = {"members": ("members.accounts.replay", "members.house.replay")}
PATIENCE = 60.0  # seconds: it writes each of its aggregates


@click.command()
@click.argument("service")
def replay(service: str) -> None:
    """Ask a SERVICE to announce its state anew; whoever hears it rebuilds what they keep of it."""
    if service not in known.services():
        raise Trouble(f"There is no service {service}; there are {', '.join(known.services())}.")
    if service not in METHODS:
        raise Trouble(f"{service} has nothing to replay; {', '.join(METHODS)} has.")
    announced = sum(answer(method, PATIENCE)["announced"] for method in METHODS[service])
    click.echo(f"{service} announces the state of {announced:,} again; hub tail '{service}.*' shows it pass.")
