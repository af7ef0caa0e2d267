"""A fan-out from portion to portion, without any machinery."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.notifications.fanout import domain

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
IDS = st.lists(st.text(min_size=1), unique=True, max_size=20).map(sorted)


@given(IDS, st.integers(1, 6), st.integers(0, 20))
def test_wherever_a_job_is_interrupted_it_goes_on_there(ids: list[str], size: int, interrupted: int) -> None:
    job = domain.begin("m", NOW)
    told: list[str] = []
    for stop in (interrupted, len(ids)):
        for count, (portion, last) in enumerate(domain.left(job, ids, size)):
            if count == stop:
                break
            assert job["done_at"] is None
            assert len(portion) == size or last
            job = domain.advance(job, portion, NOW, last=last)
            told += portion
    assert told == ids
    assert (job["done_at"] is not None) == bool(ids)
    assert job["told"] == len(ids)
    assert not ids or not list(domain.left(job, [*ids, "\U0010ffff" * 30], size)), "what is done is done"
