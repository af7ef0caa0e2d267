"""A fan-out from portion to portion, without any machinery."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.notifications.fanout import domain

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
IDS = st.lists(st.text(min_size=1), unique=True, max_size=20).map(sorted)


@given(IDS, st.integers(1, 6), st.integers(0, 20), st.integers(1, 4))
def test_wherever_a_job_is_interrupted_it_goes_on_behind_what_was_saved(
    ids: list[str], size: int, interrupted: int, saved_every: int
) -> None:
    job = domain.begin("m", NOW)
    told: dict[int, list[str]] = {}
    for stop in (interrupted, len(ids) + 1):
        for portion in domain.left(job, ids, size):
            if portion.nth > stop:
                break
            assert job["done_at"] is None
            assert len(portion.ids) == size or portion.last
            assert told.setdefault(portion.nth, portion.ids) == portion.ids, "a portion told again is the same"
            if portion.last or portion.nth % saved_every == 0:
                job = domain.advance(job, portion, NOW)
    assert [id for nth in sorted(told) for id in told[nth]] == ids
    assert (job["done_at"] is not None) == bool(ids)
    assert job["portions"] == len(told)
    assert not ids or not list(domain.left(job, [*ids, "\U0010ffff" * 30], size)), "what is done is done"
