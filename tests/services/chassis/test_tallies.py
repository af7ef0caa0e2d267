"""Tallies: exact in a process, and known to the others a moment later."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from services.chassis.tallies import Tallies
from services.ground import clock
from tests.rig.processes import until


class Cups(Tallies):
    """Cups of coffee by who drank them."""

    collection = "cups"


TOMORROW = (clock.now() + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def written(store: Cups) -> dict[str, int]:
    return {each["_id"]: each["count"] for each in store.rows.find()}


@pytest.fixture
def stores(make_store: Any) -> Iterator[list[Cups]]:
    """Two stores, as two processes have them."""
    found = [make_store(Cups) for _ in range(2)]
    yield found
    for each in found:
        until(lambda each=each: not each._writing)


def test_many_at_once_are_counted_one_by_one(stores: list[Cups]) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: stores[0].count("a", TOMORROW), range(200)))
    assert sorted(found) == list(range(1, 201))
    until(lambda: list(stores[0].rows.find()) == [{"_id": "a", "count": 200, "ends_at": TOMORROW}])


def test_what_others_counted_is_known_a_moment_later(stores: list[Cups]) -> None:
    one, other = stores
    assert [other.count("a", TOMORROW), other.count("b", TOMORROW)] == [1, 1]
    until(lambda: written(one) == {"a": 1, "b": 1})
    assert one.count("a", TOMORROW, "b") == 1, "it will hear of the others when it writes"
    until(lambda: written(one) == {"a": 2, "b": 1})
    until(lambda: one._known == {"a": 2, "b": 1})
    assert one.count("a", TOMORROW, "b") == 4
    one.uncount("a")
    until(lambda: written(one) == {"a": 2, "b": 1} and not one._unwritten)


def test_nothing_is_lost_while_the_store_is_away(stores: list[Cups], monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_more: Any) -> Any:
        raise AutoReconnect("gone")

    one = stores[0]
    with monkeypatch.context() as patch:
        patch.setattr(one, "_added", away)
        assert [one.count("a", TOMORROW) for _ in range(3)] == [1, 2, 3]
        one._write()
        assert one.count("a", TOMORROW) == 4
    until(lambda: (one.rows.find_one({"_id": "a"}) or {}).get("count") == 4)
    assert one.count("a", TOMORROW) == 5


def test_what_is_over_is_forgotten(stores: list[Cups]) -> None:
    one = stores[0]
    one.count("a", clock.now())
    until(lambda: not one._known)
    indexes = one.rows.index_information().values()
    assert [each["expireAfterSeconds"] for each in indexes if each["key"] == [("ends_at", 1)]] == [3600]
