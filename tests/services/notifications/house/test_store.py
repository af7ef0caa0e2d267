"""The copy of the house on a real store."""

import itertools
from typing import Any

import pytest

from services.notifications.house import domain
from services.notifications.house.store import SECONDS, HouseStore


def test_before_it_is_told_it_is_as_in_every_new_hub(make_store: Any) -> None:
    assert make_store(HouseStore).present() == domain.UNTOLD


@pytest.mark.parametrize("order", list(itertools.permutations([1, 2, 3])))
def test_it_is_as_young_as_the_youngest_message_in_whatever_order(make_store: Any, order: tuple[int, ...]) -> None:
    store, zones = make_store(HouseStore), {1: "UTC", 2: "Europe/Malta", 3: "Africa/Nairobi"}
    for sequence in (*order, *order):
        store.keep_youngest(domain.house(zones[sequence], ["de", "en"], sequence))
    assert store.present() == {"_id": "house", "language": "de", "zone": "Africa/Nairobi", "sequence": 3}


def test_a_process_reads_it_anew_only_after_some_seconds(make_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store, now = make_store(HouseStore), [1000.0]
    monkeypatch.setattr("services.notifications.house.store.time.monotonic", lambda: now[0])
    store.seen()
    store.keep_youngest(domain.house("Europe/Malta", ["de", "en"], 1))
    now[0] += SECONDS - 0.1
    assert store.seen() == domain.UNTOLD, "no other read of the store"
    now[0] += 0.1
    assert store.seen() == store.present()
    assert store.seen()["zone"] == "Europe/Malta"
