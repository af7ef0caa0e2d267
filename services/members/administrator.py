"""The first administrator: made on the machine itself, because nobody could be trusted to ask for it over HTTP."""

import sys

import click
from environs import Env

from services.chassis import identifiers, settings
from services.chassis.store import database
from services.contracts.errors import Refusal, invalid
from services.contracts.messages.members import MEMBERS_JOINED
from services.contracts.shapes.members import Administrator
from services.members.accounts import domain
from services.members.accounts.store import AccountStore
from services.members.audit import domain as audit
from services.members.audit.store import AuditStore
from services.members.passwords import Passwords


def _password(from_stdin: bool) -> str:
    if from_stdin:
        given = sys.stdin.readline().rstrip("\n")
    else:
        env = Env(eager=False)
        given = settings.secret(env, "HEARTH_ADMIN_PASSWORD", "")
        settings.read(env)
    return given or str(click.prompt("Password (12 characters or more)", hide_input=True, confirmation_prompt=True))


@click.command()
@click.option("--email", required=True, help="The address to sign in with.")
@click.option("--name", required=True, help="The name that others see.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def add_administrator(email: str, name: str, password_stdin: bool) -> None:
    """Make an administrator. The password is from HEARTH_ADMIN_PASSWORD(_FILE) or standard input, or asked for."""
    found = database(settings.load(), "members")
    store, entries = AccountStore(found, "members"), AuditStore(found, "members")
    given = {"email": email, "name": name, "password": _password(password_stdin)}
    try:
        if wrong := Administrator().validate(given):
            raise invalid(wrong)
        store.prepare()
        entries.prepare()
        now = identifiers.now()
        account = domain.found(given, Passwords().hash(given["password"]), id=identifiers.new_id(now), now=now)
        store.add(account, MEMBERS_JOINED.about(account, **domain.facts(account, actor_id=account["_id"])))
        entries.keep(audit.administrator_added(account["_id"], identifiers.new_id(now), now))
    except Refusal as refusal:
        raise click.ClickException(refusal.says) from None
    click.echo(account["_id"])
