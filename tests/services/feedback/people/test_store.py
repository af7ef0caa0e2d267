"""The copy of the members' names on a real store."""

import itertools
from typing import Any

import pytest

from services.feedback.people import domain
from services.feedback.people.store import PeopleStore


@pytest.mark.parametrize("order", list(itertools.permutations([1, 2, 3])))
def test_a_name_is_as_young_as_the_youngest_message_in_whatever_order(make_store: Any, order: tuple[int, ...]) -> None:
    store = make_store(PeopleStore)
    for sequence in (*order, *order):
        store.keep_youngest(domain.person("m", f"name {sequence}", sequence))
    assert list(store.rows.find()) == [{"_id": "m", "name": "name 3", "sequence": 3}]
