"""Names are joined to ids when something is read: by one query, whatever is asked for."""

from typing import Any

import pytest

from services.chassis.names import named, names_of
from services.chassis.rows import Rows


class Pets(Rows[Any]):
    collection = "pets"


@pytest.fixture
def pets(make_store: Any) -> Pets:
    store: Pets = make_store(Pets)
    store.rows.insert_many([{"_id": "a", "name": "Ada", "age": 3}, {"_id": "b", "name": "Bo", "age": 4}])
    return store


@pytest.fixture
def queries(pets: Pets, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The queries that are asked of the store."""
    asked, find = list[Any](), pets.documents.find

    class Counted:
        def find(self, *query: Any) -> Any:
            asked.append(query)
            return find(*query)

    monkeypatch.setattr(pets, "documents", Counted())
    return asked


def test_names_stand_beside_ids(pets: Pets, queries: list[Any]) -> None:
    walks = [{"by": "a", "met": "b"}, {"by": "b", "met": None}, {"by": "nobody"}]
    assert named(pets, iter(walks), by_name="by", met_name="met") == [
        {"by": "a", "met": "b", "by_name": "Ada", "met_name": "Bo"},
        {"by": "b", "met": None, "by_name": "Bo", "met_name": None},
        {"by": "nobody", "by_name": None, "met_name": None},
    ]
    assert len(queries) == 1


def test_nothing_is_asked_about_nobody(pets: Pets, queries: list[Any]) -> None:
    assert named(pets, [], by_name="by") == []
    assert named(pets, [{"by": None}], by_name="by") == [{"by": None, "by_name": None}]
    assert names_of(pets, [None]) == {}
    assert queries == []
