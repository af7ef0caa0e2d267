"""`hub members`, `hub events`, `hub admin`: the hub's members, its events, and its first administrator."""

import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import click

from deploy.hub import screen, settings
from deploy.hub.bus import listed
from deploy.hub.verbs import Noun
from deploy.local.platform import ROOT
from services.contracts.calls.events import OPEN_LEDGER
from services.contracts.calls.members import CALL_ROLL
from services.contracts.roles import ROLES
from services.contracts.shapes.events import STATUSES
from services.ground import clock

LIMIT = click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Lines at most.")


@click.group()
def members() -> None:
    """The members of the hub."""


@members.command("list")
@click.option("--role", type=click.Choice(ROLES), help="Only members with this role.")
@click.option("--addresses", is_flag=True, help="Also their e-mail addresses, which are private.")
@LIMIT
@screen.as_json
def list_members(role: str | None, addresses: bool, limit: int, as_json: bool) -> None:
    """Members in the order of joining."""
    found, more = listed(CALL_ROLL, limit, role=role)
    _print(found, more, ("id", "joined_at", *(("email",) if addresses else ()), "status", "roles", "name"), as_json)


@members.command()
@screen.as_json
def roles(as_json: bool) -> None:
    """The roles, each with the number and names of its holders."""
    holders: dict[str, list[str]] = defaultdict(list)
    for account in listed(CALL_ROLL, sys.maxsize)[0]:
        for role in account["roles"]:
            holders[role].append(account["name"])
    if as_json:
        screen.dump(holders)
    else:
        screen.table(("role", "#members", "who"), [(r, len(who), ", ".join(who)) for r, who in sorted(holders.items())])


@click.group()
def events() -> None:
    """The events of the hub."""


@events.command("list")
@click.option("--status", type=click.Choice(STATUSES), help="Only events of this status.")
@click.option("--past", is_flag=True, help="Also events that are over.")
@LIMIT
@screen.as_json
def list_events(status: str | None, past: bool, limit: int, as_json: bool) -> None:
    """Events by their start."""
    ends_after = None if past else clock.now().isoformat()
    found, more = listed(OPEN_LEDGER, limit, status=status, ends_after=ends_after)
    _print(found, more, ("id", "starts_at", "status", "touchpoint", "place", "title"), as_json)


def _print(found: list[dict[str, Any]], more: bool, names: tuple[str, ...], as_json: bool) -> None:
    if as_json:
        screen.dump([{name: each[name] for name in names} for each in found])
        return
    heads = [name.removesuffix("_at") for name in names]
    screen.table(heads, [[_cell(name, each[name]) for name in names] for each in found])
    click.echo(f"{len(found):,}{', and more: see --limit' if more else ''}")


def _cell(name: str, value: Any) -> Any:
    if name.endswith("_at"):
        return f"{datetime.fromisoformat(value).astimezone(UTC):%Y-%m-%d %H:%MZ}"
    return ", ".join(value) if isinstance(value, list) else value


@click.group(cls=Noun)
def admin() -> None:
    """Administrators."""


@admin.command()
@click.option("--email", required=True, help="The address to sign in with.")
@click.option("--name", required=True, help="The name that others see.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def add(email: str, name: str, password_stdin: bool) -> None:
    """Make an administrator. The password comes from HEARTH_ADMIN_PASSWORD(_FILE), standard input or a prompt."""
    _on_the_machine("add-administrator", "--email", email, "--name", name, *["--password-stdin"][:password_stdin])


@members.command("reset-password")
@click.argument("email", required=False)
@click.option("--email", "former", hidden=True)  # as it was said before
def reset_password(email: str | None, former: str | None) -> None:
    """Print a code by which the member with this address sets a new password within 24 hours.

    POST /v1/password-resets takes the code.
    """
    email = email or former
    if not email:
        raise click.UsageError("Say whose: the address that the member signs in with.")
    _on_the_machine("reset-password", "--email", email)


def _on_the_machine(*command: str) -> None:
    settings.need("MONGO_URI")
    whole = [sys.executable, "-m", "services.members", *command]
    sys.exit(subprocess.run(whole, cwd=ROOT, env=dict(settings.environment()), check=False).returncode)
