"""A fan-out from chunk to chunk, without any machinery."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.notifications.fanout import domain

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


@given(st.lists(st.lists(st.text(min_size=1), min_size=1), max_size=6))
def test_only_the_last_chunk_finishes_a_job(chunks: list[list[str]]) -> None:
    job = domain.begin("m", {}, NOW)
    done = []
    for chunk, last in domain.marked(chunks):
        assert job["done_at"] is None
        job = domain.advance(job, chunk, NOW, last=last)
        done.append(chunk)
    assert done == chunks
    assert (job["done_at"] is not None) == bool(chunks)
    assert job["told"] == sum(len(chunk) for chunk in chunks)
    assert job["cursor"] == (chunks[-1][-1] if chunks else None)
