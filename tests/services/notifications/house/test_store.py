"""The copy of the house on a real store."""

import itertools
from typing import Any

import pytest

from services.notifications.house import domain
from services.notifications.house.store import HouseStore


def test_before_it_is_told_it_is_as_in_every_new_hub(make_store: Any) -> None:
    assert make_store(HouseStore).present() == domain.UNTOLD


@pytest.mark.parametrize("order", list(itertools.permutations([1, 2, 3])))
def test_it_is_as_young_as_the_youngest_message_in_whatever_order(make_store: Any, order: tuple[int, ...]) -> None:
    store, zones = make_store(HouseStore), {1: "UTC", 2: "Europe/Malta", 3: "Africa/Nairobi"}
    for sequence in (*order, *order):
        store.keep(domain.house(zones[sequence], ["de", "en"], sequence))
    assert store.present() == {"_id": "house", "language": "de", "zone": "Africa/Nairobi", "sequence": 3}
