"""Accounts as the tests of members' rules need them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.members.account import Account
from services.members.accounts import domain as accounts

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
ADMINISTRATOR = frozenset({"administrator"})


def account(**registration: Any) -> Account:
    person = {"name": "Amara", **registration}
    return accounts.join(person, " Amara@Hub.example ", ["mentor", "coworker", "mentor"], "hash", id="m", now=NOW)


def root() -> Account:
    return accounts.found({"name": "Root", "email": "root@hub.example"}, "hash", id="root", now=NOW)
