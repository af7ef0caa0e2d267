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
    assert domain.publish(drafted(ends_at=LAST), by=ACTORS[HOST], now=NOW)["status"] == "published"
    with pytest.raises(Invalid) as refused:
        domain.change(drafted(), {"ends_at": LAST + MOMENT}, by=ACTORS[HOST], now=NOW)
    assert refused.value.fields == [{"field": "ends_at", "says": "Must be within the next ten years."}]


def test_a_draft_that_waited_too_long_is_not_published() -> None:
    with pytest.raises(Invalid):
        domain.publish(drafted(), by=ACTORS[HOST], now=NOW + timedelta(days=2))


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

    @rule(who=people)
    def change(self, who: str) -> None:
        was_draft = self.event["status"] == "draft"
        self.attempt(domain.change, who, fields={"title": "Another title"})
        assert was_draft or self.event["title"] == "Café morning" or "draft" in self.path

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
        assert (self.event["end_due_at"] is not None) == (self.path[-1] == "published")
        assert self.event["status"] == self.path[-1]
        assert domain.was_public(self.event) == ("published" in self.path)
        assert (self.event["cancel_reason"] is None) == ("cancelled" not in self.path)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=50, stateful_step_count=20, deadline=None)
