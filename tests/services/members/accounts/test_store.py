"""Accounts on a real store."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.contracts.errors import Conflict
from services.members.accounts import domain as accounts
from services.members.accounts.store import AccountStore

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
    everybody, after = store.directory(suspended=False, role=None, tag=None, after=None, limit=5)
    assert [each["_id"] for each in everybody] == [f"{number:04d}" for number in range(5)]
    rest, end = store.directory(suspended=False, role=None, tag=None, after=after, limit=5)
    assert ([each["_id"] for each in rest], end) == (["0005", "0006"], None)
    assert len(store.directory(suspended=False, role="mentor", tag=None, after=None, limit=5)[0]) == 3
    with_bread = store.directory(suspended=False, role=None, tag="bread", after=None, limit=9)[0]
    assert [each["_id"] for each in with_bread] == ["0001", "0003", "0004", "0005"]
    assert [
        each["_id"] for each in store.directory(suspended=False, role="mentor", tag="bread", after=None, limit=9)[0]
    ] == ["0001"]
    assert "outbox" not in everybody[0]


def test_the_roll_has_all_accounts_page_by_page(make_store: Any) -> None:
    store = make_store(AccountStore)
    for number in range(4):
        store.add(account(number) | {"roles": ["mentor"] if number % 2 else [], "status": "suspended"})
    first, after = store.roll(role=None, after=None, limit=3)
    assert [each["_id"] for each in first] == ["0000", "0001", "0002"]
    assert [each["_id"] for each in store.roll(role=None, after=after, limit=3)[0]] == ["0003"]
    assert [each["_id"] for each in store.roll(role="mentor", after=None, limit=3)[0]] == ["0001", "0003"]


def test_a_tag_is_offered_and_wanted_in_one_list(make_store: Any) -> None:
    store = make_store(AccountStore)
    for number, offered, wanted in (
        (1, True, False),
        (2, False, True),
        (3, True, True),
        (4, False, False),
        (5, True, False),
    ):
        store.add(account(number, tags_have=["bread"] * offered, tags_want=["bread"] * wanted))
    for limit, pages in (1, ["1", "2", "3", "5"]), (2, ["12", "35"]), (3, ["123", "5"]), (4, ["1235"]):
        found, after = list[str](), None
        while not found or after is not None:
            page, after = store.directory(suspended=False, role=None, tag="bread", after=after, limit=limit)
            found.append("".join(each["_id"][-1] for each in page))
        assert found == pages
    assert store.directory(suspended=False, role=None, tag="salt", after=None, limit=1) == ([], None)


def test_an_administrator_who_leaves_is_not_relied_on(make_store: Any) -> None:
    store = make_store(AccountStore)
    people = {
        id: store.add(accounts.found({"name": id, "email": f"{id}@hub.example"}, "hash", id=id, now=NOW))
        for id in "abc"
    }
    assert store.others_administer("a", NOW)
    store.save(accounts.leaving(people["b"], NOW))
    store.save(accounts.suspend(people["c"], "a reason", by="a", now=NOW))
    assert not store.others_administer("a", NOW)
    stale = NOW + accounts.LEAVING_LASTS
    assert store.others_administer("a", stale), "the process that marked b has died"
    with pytest.raises(Conflict):
        store.save(accounts.leaving(people["b"], NOW) | {"version": 2})
    assert store.get("b")["leaving_at"] is None


def test_a_password_is_renewed_only_while_it_is_the_same(make_store: Any) -> None:
    store = make_store(AccountStore)
    before = store.add(account(1))
    store.renew_password("0001", "another hash", "new")
    assert store.get("0001") == before
    store.renew_password("0001", "hash", "new")
    assert store.get("0001") == before | {"password_hash": "new"}
    store.save(before | {"name": "Amara"})  # by a process that had read it before: no conflict
