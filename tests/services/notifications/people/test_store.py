"""The copy of the members on a real store."""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.notifications.people import domain as people
from services.notifications.people.store import PeopleStore, ReachStore

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


def person(
    id: str, sequence: int = 1, roles: tuple[str, ...] = (), tags: tuple[str, ...] = (), joined: datetime = NOW
) -> Any:
    return people.person(id, f"name {sequence}", list(roles), list(tags), joined, sequence)


@pytest.mark.parametrize("order", list(itertools.permutations([1, 2, 3])))
def test_the_copy_is_as_young_as_the_youngest_message_in_whatever_order(
    make_store: Any, order: tuple[int, ...]
) -> None:
    store = make_store(PeopleStore)
    for sequence in (*order, *order):
        store.keep(person("m", sequence))
    assert [each["name"] for each in store.rows.find({})] == ["name 3"]


@pytest.mark.parametrize("order", list(itertools.permutations([1, 2, 3])))
def test_an_address_is_forgotten_with_its_member_in_whatever_order(make_store: Any, order: tuple[int, ...]) -> None:
    store = make_store(ReachStore)
    told = {1: ("old@hub.example", "active"), 2: ("new@hub.example", "active"), 3: (None, "removed")}
    for sequence in (*order, *order):
        email, status = told[sequence]
        store.keep_youngest(people.reach("m", email, "de", "Africa/Nairobi", sequence, status))
    assert list(store.rows.find()) == [{"_id": "m", "email": None, "language": "", "zone": "", "sequence": 3}]


def test_an_audience_is_roles_or_tags_of_those_who_belonged(make_store: Any) -> None:
    store = make_store(PeopleStore)
    store.keep(person("c", roles=("host",), tags=("wine", "bread")))
    store.keep(person("a", roles=("mentor",)))
    store.keep(person("b", tags=("bread",)))
    store.keep(person("d", roles=("mentor",), tags=("bread",), joined=NOW + timedelta(seconds=1)))

    def told(**audience: Any) -> Any:
        return store.audience({"roles": [], "tags": []} | audience, at=NOW, but="a")

    assert told(roles=["mentor"]) == [], "the one is the actor, the other came later"
    assert told(roles=["mentor", "host"], tags=["bread"]) == ["b", "c"], "each once, in the order of their ids"
    assert told(tags=["bread", "bread"]) == ["b", "c"]
    assert told(tags=["nothing"]) == []
    assert store.anybody("host")
    assert not store.anybody("trainer")
    assert not store.anybody("bread"), "a tag is not a role"


def test_the_roster_follows_every_change_whoever_makes_it(make_store: Any) -> None:
    store, elsewhere = make_store(PeopleStore), make_store(PeopleStore)

    def told(role: str) -> list[str]:
        found: list[str] = store.audience({"roles": [role], "tags": []}, at=NOW, but=None)
        return found

    store.rows.insert_one(person("a", roles=("mentor",)))
    assert told("mentor") == ["a"], "also what an older version has left"
    elsewhere.keep(person("b", roles=("mentor",)))
    assert told("mentor") == ["a", "b"]
    elsewhere.keep(person("a", sequence=2, roles=("host",)))
    assert (told("mentor"), told("host")) == (["b"], ["a"])
    store.rows.delete_many({})
    elsewhere.keep(person("c", roles=("mentor",)))
    assert told("mentor") == ["c"], "a copy thrown away is seen with the first that is heard again"


def test_of_many_who_find_the_roster_old_one_reads_it(make_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store, readings = make_store(PeopleStore), list[Any]()
    store.keep(person("a", roles=("mentor",)))
    read = store._read

    def slowly(query: Any) -> Any:
        readings.append(query)
        time.sleep(0.2)
        return read(query)

    monkeypatch.setattr(store, "_read", slowly)
    mentors = {"roles": ["mentor"], "tags": []}
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(store.audience, mentors, at=NOW, but=None) for _ in range(8)]
        assert [each.result(10) for each in asked] == [["a"]] * 8
    assert readings == [{}]


def test_a_very_large_hub_is_asked_row_by_row(make_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.notifications.people.store.ROSTER_AT_MOST", 1)
    store = make_store(PeopleStore)
    for id, roles, tags in (("a", ("mentor",), ()), ("b", (), ("bread",)), ("c", ("host",), ())):
        store.keep(person(id, roles=roles, tags=tags))
    audience = {"roles": ["mentor"], "tags": ["bread"]}
    assert store.audience(audience, at=NOW, but=None) == ["a", "b"]
    assert store.audience(audience | {"roles": []}, at=NOW, but=None) == ["b"]
    assert store.audience(audience, at=NOW, but="b") == ["a"]


def test_everybody_is_given_many_at_a_time(make_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.notifications.people.store.ASKED_TOGETHER", 2)
    store = make_store(PeopleStore)
    assert list(store.everybody()) == []
    for id in "abc":
        store.keep(person(id))
    found = list(store.everybody())
    assert [len(each) for each in found] == [2, 1]
    assert sorted(itertools.chain(*found)) == ["a", "b", "c"]
