"""The calendar as the bus asks it: what is answered, kept and announced."""

from datetime import timedelta
from typing import Any

import pytest
from pymongo.errors import ServerSelectionTimeoutError

from services.chassis.schedule import Agenda
from services.contracts import moments
from services.contracts.catalogue import CATALOGUE
from services.contracts.errors import Conflict, Forbidden, Hidden, Invalid, NotFound, Stale
from services.contracts.shapes.events import Event
from services.events.calendar.service import Calendar
from services.events.people.domain import person
from services.ground.tokens import Caller
from tests.rig.capability import Away, Capability, somebody
from tests.rig.days import times, to_come

PLAN = {"title": "Café morning", "audience": {"tags": ["printing"]}, **times()}
ILL = {"reason": "The trainer is ill."}


@pytest.fixture
def calendar(make_store: Any) -> Capability:
    return Capability(Calendar, make_store)


@pytest.fixture
def host() -> Caller:
    return somebody("host", network="203.0.113.0/24")


def said(calendar: Capability) -> list[str]:
    """The types of what was announced; each is as the catalogue has it."""
    found = calendar.said()
    for each in found:
        CATALOGUE[each["type"]].read(each["data"])
    return [each["type"] for each in found]


def test_a_draft_is_noted_and_told_to_nobody(calendar: Capability, host: Caller) -> None:
    drafted = calendar.draft(host, draft=PLAN)
    Event().load(drafted)
    assert (drafted["status"], drafted["host_id"], drafted["version"]) == ("draft", host.id, 1)
    (noted,) = calendar.said()
    assert noted["type"] == "events.noted"
    facts = noted["data"]
    assert (facts["operation"], facts["subject_id"], facts["actor_id"]) == ("draft_event", drafted["id"], host.id)
    assert (facts["network"], facts["before"]) == ("203.0.113.0/24", None)
    assert "Café" not in str(facts), "a note holds no words of a person"


def test_what_is_published_is_announced_as_it_is(calendar: Capability, host: Caller) -> None:
    id = calendar.draft(host, draft=PLAN)["id"]
    calendar.change(host, event_id=id, change={"title": "Late café"})
    calendar.said()
    assert calendar.publish(host, event_id=id)["status"] == "published"
    published, noted = calendar.said()
    assert (published["type"], published["subject"], published["sequence"]) == ("events.published", id, f"{1:012d}")
    facts = CATALOGUE["events.published"].read(published["data"])
    assert (facts["event_id"], facts["title"], facts["actor_id"]) == (id, "Late café", host.id)
    assert (facts["starts_at"], facts["audience"]["tags"]) == (to_come(), ["printing"])
    assert (noted["type"], noted["data"]["before"]["status"]) == ("events.noted", "draft")
    assert noted["data"]["after"]["status"] == "published"


def test_a_cancellation_is_told_to_those_who_were_told_of_the_event(calendar: Capability, host: Caller) -> None:
    told, untold = (calendar.draft(host, draft=PLAN)["id"] for _ in range(2))
    calendar.publish(host, event_id=told)
    calendar.said()
    root = somebody("administrator")
    cancelled = calendar.cancel(root, event_id=told, cancellation=ILL)
    assert (cancelled["status"], cancelled["cancel_reason"]) == ("cancelled", ILL["reason"])
    message, _ = calendar.said()
    assert (message["type"], message["sequence"], message["data"]["reason"]) == (
        "events.cancelled",
        f"{2:012d}",
        ILL["reason"],
    )
    assert message["data"]["actor_id"] == root.id
    calendar.cancel(host, event_id=untold, cancellation=ILL)
    assert said(calendar) == ["events.noted"]


def test_a_correction_is_told_with_the_old_and_the_new(calendar: Capability, host: Caller) -> None:
    id = calendar.draft(host, draft=PLAN)["id"]
    calendar.publish(host, event_id=id)
    calendar.said()
    root, later = somebody("administrator"), to_come(hour=8)
    shown = calendar.change(root, event_id=id, change={"starts_at": later.isoformat(), "link": "https://hub.example"})
    assert (shown["status"], shown["link"], shown["version"]) == ("published", "https://hub.example", 3)
    message, noted = calendar.said()
    assert (message["type"], message["sequence"]) == ("events.changed", f"{2:012d}")
    facts = CATALOGUE["events.changed"].read(message["data"])
    assert (facts["event_id"], facts["starts_at"], facts["actor_id"]) == (id, later, root.id)
    assert facts["changes"] == [
        {"field": "starts_at", "old": moments.to_text(to_come()), "new": moments.to_text(later)},
        {"field": "link", "old": None, "new": "https://hub.example"},
    ]
    assert (noted["data"]["operation"], noted["data"]["after"]["starts_at"]) == ("change_event", shown["starts_at"])
    calendar.change(host, event_id=id, change={"description": "With cake.", "link": "https://hub.example"})
    assert said(calendar) == ["events.noted"], "nothing reads otherwise but the description"


def test_an_event_that_was_moved_ends_at_its_new_end(
    calendar: Capability, host: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = calendar.draft(host, draft=PLAN)["id"]
    calendar.publish(host, event_id=id)
    agenda, over, later = (
        Agenda(calendar.store("events"), "end_due_at", leases=(5,)),
        to_come(hour=10),
        to_come(hour=12),
    )
    (row,), _ = agenda.look(over)
    taken = agenda.take(row, over)
    calendar.change(host, event_id=id, change={"ends_at": later.isoformat()})
    monkeypatch.setattr("services.ground.clock.now", lambda: over)
    with pytest.raises(Conflict):
        calendar.do("end", taken)  # by a process that had taken it before it was moved
    assert agenda.look(later - timedelta(minutes=1)) == ([], 0)
    (row,), _ = agenda.look(later)
    monkeypatch.setattr("services.ground.clock.now", lambda: later)
    calendar.do("end", agenda.take(row, later))
    assert calendar.show(host, event_id=id)["status"] == "ended"


def test_an_event_ends_once_and_members_of_the_hub_may_know(
    calendar: Capability, host: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = calendar.draft(host, draft=PLAN)["id"]
    calendar.publish(host, event_id=id)
    calendar.said()
    over = to_come(hour=10)
    monkeypatch.setattr("services.ground.clock.now", lambda: over)
    events = calendar.store("events")
    agenda = Agenda(events, "end_due_at", leases=(5,))
    (row,), _ = agenda.look(over)
    event = agenda.take(row, over)
    calendar.do("end", event)
    with pytest.raises(Conflict):
        calendar.do("end", event)  # by another process, whose turn was over
    ended = calendar.show(somebody("coworker"), event_id=id)
    Event().load(ended)
    assert (ended["status"], agenda.look(over)) == ("ended", ([], 0))
    (message,) = calendar.said()
    assert (message["type"], message["subject"], message["sequence"]) == ("events.ended", id, f"{2:012d}")
    facts = CATALOGUE["events.ended"].read(message["data"])
    assert (facts["event_id"], facts["ends_at"], facts["host_id"]) == (id, over, host.id)
    assert [each["id"] for each in calendar.browse(host, query={"status": "ended"})["items"]] == [id]
    assert calendar.browse(host, query={})["items"] == []


def test_what_is_cancelled_while_it_ends_stays_cancelled(
    calendar: Capability, host: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = calendar.draft(host, draft=PLAN)["id"]
    calendar.publish(host, event_id=id)
    over = to_come(hour=10)
    agenda = Agenda(calendar.store("events"), "end_due_at", leases=(5,))
    (row,), _ = agenda.look(over)
    event = agenda.take(row, over)
    calendar.cancel(host, event_id=id, cancellation=ILL)
    calendar.said()
    monkeypatch.setattr("services.ground.clock.now", lambda: over)
    with pytest.raises(Conflict):
        calendar.do("end", event)
    assert (calendar.said(), agenda.look(over)) == ([], ([], 0))
    assert calendar.show(host, event_id=id)["status"] == "cancelled"


def test_a_refusal_saves_and_announces_nothing(calendar: Capability, host: Caller) -> None:
    id = calendar.draft(host, draft=PLAN)["id"]
    calendar.said()
    other = somebody("trainer")
    for method, more in (
        ("change", {"change": {"title": "Mine now"}}),
        ("publish", {}),
        ("cancel", {"cancellation": ILL}),
    ):
        with pytest.raises(Hidden):
            getattr(calendar, method)(other, event_id=id, **more)
        with pytest.raises(NotFound):
            getattr(calendar, method)(host, event_id=other.id, **more)
    with pytest.raises(Forbidden):
        calendar.draft(somebody("coworker"), draft=PLAN)
    with pytest.raises(Invalid) as refused:
        calendar.draft(host, draft=PLAN | {"audience": {}, "ends_at": "tomorrow"})
    assert {each["field"] for each in refused.value.fields} == {"audience", "ends_at"}
    calendar.publish(host, event_id=id)
    calendar.said()
    with pytest.raises(Conflict):
        calendar.publish(host, event_id=id)
    assert said(calendar) == []
    assert calendar.show(host, event_id=id)["version"] == 2


def test_who_saw_another_version_changes_nothing(calendar: Capability, host: Caller) -> None:
    id = calendar.draft(host, draft=PLAN)["id"]
    calendar.change(host, event_id=id, change={"place": "The café"}, expected={1})
    with pytest.raises(Stale):
        calendar.change(host, event_id=id, change={"place": "The cellar"}, expected={1})
    assert calendar.show(host, event_id=id)["place"] == "The café"


def test_a_draft_is_shown_to_its_host_and_administrators(calendar: Capability, host: Caller) -> None:
    id = calendar.draft(host, draft=PLAN)["id"]
    for reader in (host, somebody("administrator")):
        assert calendar.show(reader, event_id=id)["id"] == id
    for reader in (somebody("host"), somebody("coworker", id=host.id)):
        with pytest.raises(Hidden):
            calendar.show(reader, event_id=id)
    calendar.publish(host, event_id=id)
    assert calendar.show(somebody("coworker"), event_id=id)["id"] == id


def test_lists_go_on_where_they_ended_and_drafts_are_ones_own(calendar: Capability, host: Caller) -> None:
    ids = [calendar.draft(host, draft=PLAN | times(days))["id"] for days in (30, 31, 32)]
    other, coworker = somebody("mentor"), somebody("coworker")
    calendar.draft(other, draft=PLAN)
    for id in reversed(ids[:2]):
        calendar.publish(host, event_id=id)
    first = calendar.browse(coworker, query={"limit": 1})
    rest = calendar.browse(coworker, query={"limit": 1, "cursor": first["next"]})
    assert [each["id"] for each in first["items"] + rest["items"]] == ids[:2]
    assert rest["next"] is None
    late = calendar.browse(coworker, query={"starts_after": to_come(30).isoformat()})
    assert [each["id"] for each in late["items"]] == [ids[1]]
    assert [each["id"] for each in calendar.browse(host, query={"status": "draft"})["items"]] == [ids[2]]
    assert calendar.browse(coworker, query={"status": "draft"})["items"] == []
    with pytest.raises(Invalid):
        calendar.browse(coworker, query={"cursor": "invented"})


def test_mine_are_those_that_i_host_also_what_nobody_else_may_see(calendar: Capability, host: Caller) -> None:
    draft, public, gone = (calendar.draft(host, draft=PLAN | times(days))["id"] for days in (30, 31, 32))
    other = somebody("mentor")
    theirs = calendar.draft(other, draft=PLAN)["id"]
    for id in (public, theirs):
        calendar.publish(somebody("administrator"), event_id=id)
    calendar.cancel(host, event_id=gone, cancellation=ILL)

    def ids(reader: Caller, **query: Any) -> list[str]:
        return [each["id"] for each in calendar.browse(reader, query=query)["items"]]

    assert ids(host, mine=True) == [draft, public, gone]
    assert ids(host, mine=True, status="cancelled") == [gone]
    assert ids(host, mine=True, status="published") == [public]
    assert ids(host, mine=True, host_id=other.id) == [], "mine, and somebody else's"
    for reader in (host, other, somebody("coworker")):
        assert ids(reader, host_id=host.id) == [public]
        assert ids(reader, host_id=host.id, status="cancelled") == []
    assert ids(other, host_id=host.id, status="draft") == []
    demoted = somebody("coworker", id=host.id)
    assert ids(demoted, mine=True) == [public], "who organises no more sees none of their drafts"
    assert ids(demoted, status="draft") == ids(demoted, mine=True, status="cancelled") == []


def test_an_event_that_is_running_is_listed_by_its_end(
    calendar: Capability, host: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    id, later = (calendar.draft(host, draft=PLAN | times(days) | {"touchpoint": "cafe"})["id"] for days in (30, 31))
    for each in (id, later):
        calendar.publish(host, event_id=each)
    now, end = to_come(hour=9, minute=30).isoformat(), to_come(hour=10).isoformat()
    running = {"ends_after": now, "starts_before": now}
    asked = running | {"touchpoint": "cafe", "tag": " Printing", "host_id": host.id}
    for query in (running, asked):
        assert [each["id"] for each in calendar.browse(somebody("coworker"), query=query)["items"]] == [id]
    for query in ({"ends_after": end, "starts_before": end}, asked | {"tag": "bread"}, asked | {"touchpoint": "app"}):
        assert calendar.browse(host, query=query)["items"] == []
    assert [each["id"] for each in calendar.ledger(query={"ends_after": end})["items"]] == [later]


def test_an_event_comes_with_the_present_name_of_its_host(calendar: Capability, host: Caller) -> None:
    drafted = calendar.draft(host, draft=PLAN)
    assert (drafted["host_id"], drafted["host_name"]) == (host.id, None), "events has not heard of her yet"
    id, people = drafted["id"], calendar.store("people")
    for sequence, name in ((1, "Hanna Weber"), (2, "Hanna Weber-Okoth")):
        people.keep_youngest(person(host.id, name, sequence))
        change = calendar.change(host, event_id=id, change={"place": f"Room {sequence}"})
        (listed,) = calendar.browse(host, query={"status": "draft"})["items"]
        (known,) = calendar.ledger(query={})["items"]
        assert {each["host_name"] for each in (change, listed, known, calendar.show(host, event_id=id))} == {name}


def test_nothing_is_saved_that_could_not_be_answered(
    calendar: Capability, host: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call whose store was away counts as not done, and is made again under the same Idempotency-Key."""
    before = calendar.draft(host, draft=PLAN)
    monkeypatch.setattr(calendar.store("people"), "documents", Away())
    for act, given in (
        ("draft", {"draft": PLAN}),
        ("change", {"event_id": before["id"], "change": {"place": "Attic"}}),
        ("publish", {"event_id": before["id"]}),
        ("cancel", {"event_id": before["id"], "cancellation": ILL}),
    ):
        with pytest.raises(ServerSelectionTimeoutError):
            getattr(calendar, act)(host, **given)
    assert [each["version"] for each in calendar.store("events").rows.find()] == [1]
