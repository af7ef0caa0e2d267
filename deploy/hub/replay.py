"""`hub replay`: services announce their state again, so that the copies that others keep can be rebuilt."""

import click

from deploy.hub import Trouble, known
from deploy.hub.bus import answer

PATIENCE = 60.0  # seconds, because the service writes each of its aggregates


@click.command()
@click.argument("service", required=False)
def replay(service: str | None) -> None:
    """Ask a SERVICE (or all of them) to announce its state again. Other services then rebuild their copies of it."""
    if service is not None and service not in known.services():
        raise Trouble(f"There is no service {service}; there are {', '.join(known.services())}.")
    asked = [call for call in known.replaying() if service in (None, call.partition(".")[0])]
    if not asked:
        able = dict.fromkeys(call.partition(".")[0] for call in known.replaying())
        raise Trouble(f"{service} has nothing to replay; {', '.join(able)} has.")
    for call in asked:
        announced = answer(call, PATIENCE)["announced"]
        name = call.rpartition(".")[0]
        click.echo(
            f"{name} announces the state of {announced:,} again; hub tail '{name.partition('.')[0]}.*' shows it."
        )
