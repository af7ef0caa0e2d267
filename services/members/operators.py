"""Commands for an operator on the machine itself. They are not in the HTTP API, for no caller could be trusted.

The first administrator is made here. A password is reset here when no administrator can sign in to do it.
"""

import sys

import click
from environs import Env

from services.chassis.rows import database
from services.contracts.deeds import noted
from services.contracts.errors import Refusal, invalid
from services.contracts.messages.members import MEMBERS_NOTED
from services.contracts.shapes.members import Administrator
from services.ground import clock, identifiers, settings
from services.members import announcements, codes
from services.members.account import Account, status
from services.members.accounts import domain
from services.members.accounts.store import AccountStore
from services.members.credentials.domain import issue
from services.members.passwords import Passwords


@click.group()
def commands() -> None:
    """Manage accounts on the machine itself."""


def _accounts() -> AccountStore:
    store = AccountStore(database(settings.load(), "members"), "members")
    store.prepare()
    return store


def _belongs(account: Account, email: str) -> str:
    roles = f"{status(account)}; {', '.join(account['roles'])}"
    return (
        f"{account['name']} ({roles}) belongs to the hub already, with this address. For a new password: "
        f"hub members reset-password {email}. For another role: an administrator, in the list of members."
    )


def _password(from_stdin: bool) -> str:
    if from_stdin:
        given = sys.stdin.readline().rstrip("\n")
    else:
        env = Env(eager=False)
        given = settings.secret(env, "HEARTH_ADMIN_PASSWORD", "")
        settings.read(env)
    return given or str(click.prompt("Password (12 characters or more)", hide_input=True, confirmation_prompt=True))


@commands.command()
@click.option("--email", required=True, help="The address to sign in with.")
@click.option("--name", required=True, help="The name that others see.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def add_administrator(email: str, name: str, password_stdin: bool) -> None:
    """Make an administrator. The password comes from HEARTH_ADMIN_PASSWORD(_FILE), standard input or a prompt."""
    store = _accounts()
    if there := store.by_address(domain.address(email)):
        raise click.ClickException(_belongs(there, email))
    given = {"email": email, "name": name, "password": _password(password_stdin)}
    try:
        if wrong := Administrator().validate(given):
            raise invalid(wrong)
        now = clock.now()
        account = domain.found(given, Passwords().hash(given["password"]), id=identifiers.new_id(now), now=now)
        deed = noted(MEMBERS_NOTED, "add_administrator", None, account, by=None, shows=("roles",))
        store.add(account, announcing=announcements.of_joining(account), noting=deed)
    except Refusal as refusal:
        raise click.ClickException(refusal.says) from None
    click.echo(account["_id"])


@commands.command()
@click.option("--email", required=True, help="The address that the member signs in with.")
def reset_password(email: str) -> None:
    """Print a code by which a member sets a new password within 24 hours. An earlier code stops working."""
    store, now, code = _accounts(), clock.now(), codes.new_code()
    account = store.by_address(domain.address(email))
    if account is None:
        raise click.ClickException("Nobody here has this address.")
    try:
        after = issue(account, codes.digest(code), by=None, now=now)
        store.save(after, noting=noted(MEMBERS_NOTED, "issue_password_reset", None, after, by=None, shows=("roles",)))
    except Refusal as refusal:
        raise click.ClickException(refusal.says) from None
    click.echo(code)
