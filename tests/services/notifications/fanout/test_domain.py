"""A fan-out from portion to portion, without any machinery."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.fanout import domain
from services.notifications.fanout.domain import News, Portion

NOW = datetime(2026, 11, 2, 9, 41, tzinfo=UTC)
NEWS = News("n", "the-event", "m", {"kind": "events.published"})
IDS = st.lists(st.text("abcdefgh", min_size=1), unique=True, max_size=20).map(sorted)


class Records:
    """Stands in for the store of a fan-out. It keeps each portion as it was recorded first."""

    def __init__(self) -> None:
        self.kept: dict[str, domain.Record] = {}

    def keep(self, portion: Portion) -> Portion:
        made = domain.record(NEWS, portion, NOW)
        return domain.recorded(self.kept.setdefault(made["_id"], made))


def run(records: Records, job: domain.Job, following: Callable[[domain.Job], Portion], steps: int) -> list[Portion]:
    """So many portions at most, from where a job is."""
    told = []
    for _ in range(steps):
        if job["done_at"] is None:
            told.append(records.keep(following(job)))
            job = domain.advance(job, told[-1], NOW)
    return told


@given(IDS, IDS, st.integers(1, 6), st.integers(0, 6), st.integers(0, 6))
def test_who_is_told_is_decided_once_whatever_becomes_of_the_audience(
    before: list[str], after: list[str], size: int, interrupted: int, saved: int
) -> None:
    """A job is interrupted after some portions, remembers some of them, and goes on with another audience."""
    records, begun = Records(), domain.begin("n", NOW)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(domain, "PORTION", size)
        first = run(records, begun, lambda job: domain.following(job, before, "b"), interrupted)
        job = begun
        for portion in first[:saved]:
            job = domain.advance(job, portion, NOW)
        rest = run(records, job, lambda job: domain.following(job, after, "b"), 99)
        again = run(records, begun, lambda job: domain.following(job, [], "b"), 99)
    kept = [domain.recorded(records.kept[id]) for id in sorted(records.kept)]
    assert again == kept == (first[:saved] + rest if job["done_at"] is None else first[:saved])
    assert first == kept[: len(first)], "what was recorded stays"
    told = [id for portion in kept for id in portion.told]
    assert told == sorted(set(told)), "nobody is told twice"
    assert "b" not in told, "nobody is told of their own deed"
    reached = max((portion.ids[-1] for portion in first if portion.ids), default="")
    expected = [id for id in before if id <= reached] + ([id for id in after if id > reached] if rest else [])
    if first and first[-1].last:
        expected = before
    assert told == [id for id in expected if id != "b"], "nobody is missed"
    assert [portion.last for portion in kept] == [False] * (len(kept) - 1) + [True]


@given(IDS, st.integers(1, 6))
def test_what_becomes_of_it_is_told_to_the_same(ids: list[str], size: int) -> None:
    records = Records()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(domain, "PORTION", size)
        kept = run(records, domain.begin("n", NOW), lambda job: domain.following(job, ids, "b"), 99)
    cancelled = run(Records(), domain.begin("n", NOW), lambda job: kept[job["portions"]]._replace(but="c"), 99)
    assert [id for portion in cancelled for id in portion.told] == [id for id in ids if id != "c"]
    assert all(len(portion.told) <= size for portion in cancelled)


@given(st.integers(0, 4), IDS, st.integers(1, 6))
def test_those_besides_come_after_the_others(told: int, ids: list[str], size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(domain, "PORTION", size)
        job = domain.begin("n", NOW) | {"portions": told}
        beyond = run(Records(), job, lambda job: domain.nth_beyond(job["portions"] + 1, told, ids, "b"), 99)
    assert [id for portion in beyond for id in portion.told] == [id for id in ids if id != "b"]
    assert [portion.nth for portion in beyond] == list(range(told + 1, told + 1 + len(beyond)))
    assert [portion.last for portion in beyond] == [False] * (len(beyond) - 1) + [True]


@given(st.text(max_size=900))
def test_a_fact_is_short_and_in_one_line(text: str) -> None:
    facts = domain.facts(("text", "hour"), {"text": text, "hour": NOW, "author_id": "a"})
    assert facts == {"text": facts["text"], "hour": NOW}
    assert len(facts["text"]) <= domain.LONGEST
    assert facts["text"].split()[:3] == text.split()[:3] or facts["text"].endswith("…")
    assert "\n" not in facts["text"]


def test_a_job_of_an_older_version_is_done_again_from_its_first_portion() -> None:
    begun = domain.begin("n", NOW)
    done = domain.advance(begun, Portion(7, ["a"], last=True), NOW) | {"version": 3, "sequence": 0}
    assert domain.taken_up(begun, None) == begun
    assert domain.taken_up(begun, done) == done
    del done["recorded"]
    again = domain.taken_up(begun, done)
    assert (again["portions"], again["done_at"], again["version"]) == (0, None, 3)


@pytest.mark.parametrize(
    ("age", "after_others", "may"),
    [
        (timedelta(minutes=-30), False, False),
        (timedelta(minutes=-30), True, True),
        (timedelta(hours=-2), True, False),
        (timedelta(minutes=1), False, True),
        (timedelta(minutes=1), True, True),
    ],
)
def test_what_was_told_before_records_began_may_have_none(age: timedelta, after_others: bool, may: bool) -> None:
    """`age` is the time between the message and the first process that keeps records."""
    began = domain.began(NOW, after_others=after_others)
    assert domain.may_have_no_record(NOW - age, began, NOW + timedelta(days=1)) is may


def test_records_that_were_thrown_away_are_not_waited_for() -> None:
    began, long_after = domain.began(NOW, after_others=False), NOW + domain.KEPT + timedelta(days=9)
    assert domain.may_have_no_record(NOW + timedelta(days=1), began, long_after)
    assert not domain.may_have_no_record(NOW + timedelta(days=30), began, long_after)


def test_an_hour_has_a_beginning() -> None:
    begins, ends = domain.hour(NOW)
    assert (begins, ends) == (NOW.replace(minute=0), NOW.replace(minute=0) + timedelta(hours=1))
    ids = [domain.record_id("n", nth) for nth in (9, 10, 1000)]
    assert ids == sorted(ids), "records sort by the number of their portion"
