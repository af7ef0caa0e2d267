"""Accounts, invitations and sessions on a real store."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.contracts.errors import Conflict
from services.members.accounts import domain as accounts
from services.members.accounts.store import AccountStore, InvitationStore
from services.members.sessions import domain as sessions
from services.members.sessions.store import SessionStore

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


def account(number: int, **person: Any) -> accounts.Account:
    given = {"name": f"N{number}", "email": f"n{number}@hub.example", **person}
    return accounts.found(given, "hash", id=f"{number:04d}", now=NOW)


def test_an_address_belongs_to_one(make_store: Any) -> None:
    store = make_store(AccountStore)
    store.add(account(1))
    with pytest.raises(Conflict):
        store.add(account(2, email="N1@HUB.example"))
    assert store.by_address("n1@hub.example")["_id"] == "0001"
    assert store.by_address("nobody@hub.example") is None


def test_the_directory_is_filtered_and_paged(make_store: Any) -> None:
    store = make_store(AccountStore)
    for number in range(7):
        tags = {"tags_have": ["bread"]} if number % 2 else {"tags_want": ["bread"]} if number == 4 else {}
        store.add(account(number, **tags) | {"roles": ["mentor"] if number < 3 else ["host"]})
    everybody, after = store.directory(role=None, tag=None, after=None, limit=5)
    assert [each["_id"] for each in everybody] == [f"{number:04d}" for number in range(5)]
    rest, end = store.directory(role=None, tag=None, after=after, limit=5)
    assert ([each["_id"] for each in rest], end) == (["0005", "0006"], None)
    assert len(store.directory(role="mentor", tag=None, after=None, limit=5)[0]) == 3
    with_bread = store.directory(role=None, tag="bread", after=None, limit=9)[0]
    assert [each["_id"] for each in with_bread] == ["0001", "0003", "0004", "0005"]
    assert [each["_id"] for each in store.directory(role="mentor", tag="bread", after=None, limit=9)[0]] == ["0001"]
    assert "outbox" not in everybody[0]


def test_an_invitation_is_found_by_its_code_only(make_store: Any) -> None:
    store = make_store(InvitationStore)
    draft = {"email": "a@hub.example", "roles": ["coworker"]}
    made = accounts.invite(draft, "code", by="root", roles=frozenset({"administrator"}), id="i", now=NOW)
    store.add(made)
    assert store.by_code(accounts.digest("code"))["_id"] == "i"
    assert store.by_code("code") is None


def test_signing_out_everywhere_ends_the_members_open_sessions(make_store: Any) -> None:
    store = make_store(SessionStore)
    for number, member in enumerate(["a", "a", "b"]):
        store.add(sessions.open_session(member, "secret", id=str(number), now=NOW))
    store.end("0", "token_reused", NOW)
    store.end_all("a", "signed_out", NOW)
    assert [store.get(id)["ended"] for id in "012"] == ["token_reused", "signed_out", None]
