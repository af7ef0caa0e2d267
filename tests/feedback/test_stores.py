"""The count of voices, on a real store."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from services.feedback.voices.store import TallyStore

MIDNIGHT = datetime(2026, 11, 3, tzinfo=UTC)


def test_voices_are_counted_once_each_by_name(make_store: Any) -> None:
    stores = [make_store(TallyStore) for _ in range(2)]
    with ThreadPoolExecutor(8) as pool:
        counted = list(pool.map(lambda number: stores[number % 2].count("a", MIDNIGHT), range(40)))
    assert sorted(counted) == list(range(1, 41))
    stores[0].uncount("a")
    assert (stores[1].of("a"), stores[1].of("b"), stores[1].of("")) == (39, 0, 0)
    assert stores[0].rows.find_one({}) == {"_id": "a", "voices": 39, "ends_at": MIDNIGHT}
