"""The life of an event, without any machinery."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.contracts.errors import Conflict, Forbidden, Invalid, NotFound, Refusal
from services.contracts.roles import Actor
from services.events.calendar import domain

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
LAST, HOUR, MOMENT = NOW + domain.HORIZON, timedelta(hours=1), timedelta(milliseconds=1)
HOST, STRANGER, ROOT = "host", "stranger", "root"
ACTORS = {
    HOST: Actor(HOST, frozenset({"trainer"})),
    STRANGER: Actor(STRANGER, frozenset({"coworker"})),
    ROOT: Actor(ROOT, frozenset({"administrator"})),
}


def plan(**changes: Any) -> dict[str, Any]:
    return {
        "title": "Café morning",
        "description": "",
        "touchpoint": "cafe",
        "place": "",
        "link": None,
        "starts_at": NOW + timedelta(days=1),
        "ends_at": NOW + timedelta(days=1, hours=2),
        "audience": {"everyone": True, "roles": [], "tags": []},
    } | changes


def drafted(**changes: Any) -> domain.Event:
    return domain.draft(plan(**changes), by=ACTORS[HOST], id="e", now=NOW)


def published(**changes: Any) -> domain.Event:
    return domain.publish(drafted(**changes), by=ACTORS[HOST], now=NOW)


def test_a_published_event_stays_public_however_much_is_done_with_it() -> None:
    event = domain.publish(drafted(), by=ACTORS[HOST], now=NOW)
    event["history"] = [{"at": NOW, "by": HOST, "what": "moved"}] * 50
    for each in (event, domain.cancel(event, "Ill.", by=ACTORS[HOST], now=NOW + HOUR)):
        assert domain.was_public(each)
        assert domain.visible(each, by=ACTORS[STRANGER]) is each
        assert each["published_at"] == NOW


def test_a_published_event_of_an_earlier_version_is_public_too() -> None:
    event = domain.publish(drafted(), by=ACTORS[HOST], now=NOW)
    del event["published_at"]
    for each in (event, domain.cancel(event, "Ill.", by=ACTORS[HOST], now=NOW + HOUR)):
        assert domain.was_public(each)
    assert each["published_at"] == NOW


@pytest.mark.parametrize("role", ["administrator", "trainer", "mentor", "host"])
def test_organisers_draft(role: str) -> None:
    event = domain.draft(plan(), by=Actor(HOST, frozenset({role})), id="e", now=NOW)
    assert (event["status"], event["host_id"]) == ("draft", HOST)


@pytest.mark.parametrize("roles", [set(), {"coworker"}, {"hub_user", "coworker"}])
def test_others_do_not(roles: set[str]) -> None:
    with pytest.raises(Forbidden):
        domain.draft(plan(), by=Actor(HOST, frozenset(roles)), id="e", now=NOW)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ends_at": NOW + timedelta(days=1)}, "ends_at"),
        ({"ends_at": NOW + timedelta(hours=1)}, "ends_at"),
        ({"starts_at": NOW}, "starts_at"),
        ({"starts_at": NOW - timedelta(days=1)}, "starts_at"),
        ({"starts_at": LAST + MOMENT, "ends_at": LAST + HOUR}, "starts_at"),
        ({"ends_at": LAST + MOMENT}, "ends_at"),
        ({"ends_at": datetime.max.replace(tzinfo=UTC)}, "ends_at"),
    ],
)
def test_times_must_make_sense(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        drafted(**changes)
    assert refused.value.fields[0]["field"] == field


def test_an_event_may_be_ten_years_away() -> None:
    assert drafted(starts_at=LAST - HOUR, ends_at=LAST)["ends_at"] == LAST
    assert NOW.replace(year=NOW.year + 10) <= LAST
    far = drafted(starts_at=LAST - HOUR, ends_at=LAST)
    assert domain.publish(far, by=ACTORS[HOST], now=NOW)["status"] == "published"
    with pytest.raises(Invalid) as refused:
        domain.change(far, {"ends_at": LAST + MOMENT}, by=ACTORS[HOST], now=NOW)
    assert refused.value.fields == [{"field": "ends_at", "says": "Must be within the next ten years."}]


def test_an_event_lasts_a_hundred_days_at_most() -> None:
    starts = NOW + timedelta(days=1)
    assert drafted(ends_at=starts + domain.LONGEST)["ends_at"] == starts + timedelta(days=100)
    with pytest.raises(Invalid) as refused:
        drafted(ends_at=starts + domain.LONGEST + MOMENT)
    assert refused.value.fields == [{"field": "ends_at", "says": "Must be at most 100 days after starts_at."}]


def test_a_draft_that_waited_too_long_is_not_published() -> None:
    with pytest.raises(Invalid):
        domain.publish(drafted(), by=ACTORS[HOST], now=NOW + timedelta(days=2))


@pytest.mark.parametrize("who", [HOST, ROOT])
def test_what_is_published_is_corrected_and_says_what_reads_otherwise(who: str) -> None:
    before = published()
    later = {"starts_at": before["starts_at"] + HOUR, "ends_at": before["ends_at"] + HOUR}
    after = domain.change(before, {**later, "place": "The attic", "title": "Café morning"}, by=ACTORS[who], now=NOW)
    assert (after["status"], after["place"], after["published_at"]) == ("published", "The attic", NOW)
    assert after["end_due_at"] == later["ends_at"], "the end is planned anew"
    assert domain.changes(before, after) == [
        {"field": "starts_at", "old": "2026-11-03T09:00:00.000Z", "new": "2026-11-03T10:00:00.000Z"},
        {"field": "ends_at", "old": "2026-11-03T11:00:00.000Z", "new": "2026-11-03T12:00:00.000Z"},
        {"field": "place", "old": "", "new": "The attic"},
    ]


def test_a_new_description_is_nothing_that_members_have_to_hear_of() -> None:
    before = published()
    after = domain.change(before, {"description": "With cake."}, by=ACTORS[HOST], now=NOW)
    assert (after["description"], domain.changes(before, after)) == ("With cake.", [])


def test_what_is_still_a_draft_has_no_changes_to_hear_of() -> None:
    before = drafted()
    after = domain.change(before, {"place": "The attic"}, by=ACTORS[HOST], now=NOW)
    assert (after["place"], after["end_due_at"], domain.changes(before, after)) == ("The attic", None, [])


def test_an_event_that_runs_is_corrected_until_its_end() -> None:
    before = published()
    runs = before["starts_at"] + HOUR
    after = domain.change(before, {"ends_at": before["ends_at"] + HOUR, "place": "The yard"}, by=ACTORS[HOST], now=runs)
    assert (after["starts_at"], after["end_due_at"]) == (before["starts_at"], before["ends_at"] + HOUR)
    for fields, wrong in (
        ({"ends_at": runs}, "ends_at"),
        ({"starts_at": before["starts_at"] - HOUR}, "starts_at"),
        ({"starts_at": runs}, "starts_at"),
        ({"starts_at": before["ends_at"]}, "ends_at"),
    ):
        with pytest.raises(Invalid) as refused:
            domain.change(before, fields, by=ACTORS[HOST], now=runs)
        assert refused.value.fields[0]["field"] == wrong
    with pytest.raises(Conflict, match="over"):
        domain.change(before, {"place": "The yard"}, by=ACTORS[HOST], now=before["ends_at"])


def test_who_is_told_of_a_published_event_stays_the_same() -> None:
    before, same = published(), plan()["audience"]
    assert domain.change(before, {"audience": same, "place": "The yard"}, by=ACTORS[HOST], now=NOW)["audience"] == same
    with pytest.raises(Conflict, match="audience"):
        domain.change(before, {"audience": same | {"everyone": False, "tags": ["bread"]}}, by=ACTORS[HOST], now=NOW)


def test_others_correct_nothing() -> None:
    for who in (ACTORS[STRANGER], Actor("other", frozenset({"host"})), Actor(HOST, frozenset({"coworker"}))):
        with pytest.raises(Forbidden):
            domain.change(published(), {"title": "Mine now"}, by=who, now=NOW)


def test_a_corrected_event_of_an_earlier_version_keeps_the_moment_of_its_publication() -> None:
    before = published()
    del before["published_at"]
    after = domain.change(before, {"place": "The yard"}, by=ACTORS[HOST], now=NOW + HOUR)
    assert after["published_at"] == NOW


def test_a_strangers_draft_does_not_exist() -> None:
    with pytest.raises(NotFound):
        domain.publish(drafted(), by=ACTORS[STRANGER], now=NOW)
    with pytest.raises(NotFound):
        domain.visible(drafted(), by=ACTORS[STRANGER])


def test_who_lost_the_role_organises_no_more_not_even_their_own() -> None:
    published = domain.publish(drafted(), by=ACTORS[HOST], now=NOW)
    for organise in (domain.publish, lambda event, **who: domain.cancel(event, "gone", **who)):
        with pytest.raises(Forbidden):
            organise(published, by=Actor(HOST, frozenset({"coworker"})), now=NOW)


def test_who_lost_the_role_sees_their_draft_no_more() -> None:
    with pytest.raises(NotFound):
        domain.visible(drafted(), by=Actor(HOST, frozenset({"coworker"})))
    cancelled = domain.cancel(drafted(), "gone", by=ACTORS[HOST], now=NOW)
    with pytest.raises(NotFound):
        domain.visible(cancelled, by=Actor(HOST, frozenset({"coworker"})))


def test_what_is_over_cannot_be_cancelled() -> None:
    published = domain.publish(drafted(), by=ACTORS[HOST], now=NOW)
    with pytest.raises(Conflict, match="over"):
        domain.cancel(published, "too late", by=ACTORS[HOST], now=NOW + timedelta(days=2))


@pytest.mark.parametrize("over", [timedelta(0), timedelta(days=400)])
def test_a_published_event_ends_at_its_end_or_whenever_somebody_looks(over: timedelta) -> None:
    published = domain.publish(drafted(), by=ACTORS[HOST], now=NOW)
    assert published["end_due_at"] == published["ends_at"]
    ended = domain.end(published, now=published["ends_at"] + over)
    assert (ended["status"], ended["end_due_at"], domain.was_public(ended)) == ("ended", None, True)


def test_what_does_not_take_place_has_no_end() -> None:
    draft, later = drafted(), NOW + timedelta(days=2)
    published = domain.publish(draft, by=ACTORS[HOST], now=NOW)
    cancelled = domain.cancel(published, "The trainer is ill.", by=ACTORS[HOST], now=NOW)
    ended = domain.end(published, now=later)
    assert [event["end_due_at"] for event in (draft, cancelled, ended)] == [None, None, None]
    for event in (draft, cancelled, ended):
        with pytest.raises(Conflict):
            domain.end(event, now=later)
    with pytest.raises(Conflict):
        domain.end(published, now=published["ends_at"] - MOMENT)


def test_what_has_ended_stays_as_it_was() -> None:
    ended = domain.end(domain.publish(drafted(), by=ACTORS[HOST], now=NOW), now=NOW + timedelta(days=2))
    for attempt in (
        lambda **who: domain.cancel(ended, "too late", **who),
        lambda **who: domain.publish(ended, **who),
        lambda **who: domain.change(ended, {"title": "Another title"}, **who),
    ):
        with pytest.raises(Conflict):
            attempt(by=ACTORS[HOST], now=NOW)  # also by a clock that goes after the one that ended it


class Life(RuleBasedStateMachine):
    """An event only goes `draft → published → cancelled | ended` or `draft → cancelled`, whatever is tried."""

    people = st.sampled_from([HOST, STRANGER, ROOT])

    @initialize()
    def begin(self) -> None:
        self.event = drafted()
        self.path, self.now = ["draft"], NOW

    @rule(hours=st.integers(1, 20))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def end(self) -> None:
        try:
            self.event = domain.end(self.event, now=self.now)
        except Conflict:
            return
        self.path.append("ended")
        assert self.event["ends_at"] <= self.now

    def attempt(self, verb: Any, who: str, **kwargs: Any) -> None:
        before = self.event
        try:
            self.event = verb(before, by=ACTORS[who], now=self.now, **kwargs)
        except Refusal:
            assert self.event is before
            return
        assert who != STRANGER
        if self.event["status"] != before["status"]:
            self.path.append(self.event["status"])

    @rule(who=people)
    def publish(self, who: str) -> None:
        self.attempt(domain.publish, who)

    @rule(who=people, hours=st.integers(-30, 30))
    def change(self, who: str, hours: int) -> None:
        before, ends_at = self.event, self.event["ends_at"] + timedelta(hours=hours)
        self.attempt(domain.change, who, fields={"title": "Another title", "ends_at": ends_at})
        if self.event is not before:
            assert before["status"] in ("draft", "published")
            assert before["status"] == "draft" or before["ends_at"] > self.now

    @rule(who=people)
    def cancel(self, who: str) -> None:
        self.attempt(domain.cancel, who, reason="The trainer is ill.")

    @invariant()
    def only_forward(self) -> None:
        assert self.path in (
            ["draft"],
            ["draft", "published"],
            ["draft", "cancelled"],
            ["draft", "published", "cancelled"],
            ["draft", "published", "ended"],
        )
        assert self.event["end_due_at"] == (self.event["ends_at"] if self.path[-1] == "published" else None)
        assert self.event["status"] == self.path[-1]
        assert domain.was_public(self.event) == ("published" in self.path)
        assert (self.event["cancel_reason"] is None) == ("cancelled" not in self.path)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=50, stateful_step_count=20, deadline=None)
