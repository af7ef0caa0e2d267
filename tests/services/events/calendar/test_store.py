"""The calendar's lists on a real store."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.chassis.schedule import Agenda
from services.contracts.roles import Actor
from services.events.calendar import domain
from services.events.calendar.store import EventStore

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
PLAN = {"title": "Café morning", "audience": {"everyone": True, "roles": [], "tags": []}}
HOST = {"by": Actor("host", frozenset({"host"}))}


@pytest.fixture
def store(make_store: Any) -> EventStore:
    """Ten events, of which two start at once; one draft, published and cancelled, and one that never was published."""
    store: EventStore = make_store(EventStore)
    for number in range(10):
        store.add(domain.publish(draft(f"{number}", hours=1 + number // 2), now=NOW, **HOST))
    store.add(draft("draft", hours=1))
    store.add(
        domain.cancel(domain.publish(draft("off", hours=1), now=NOW, **HOST), "Nobody has time.", now=NOW, **HOST)
    )
    store.add(domain.cancel(draft("never", hours=1), "Nobody has time.", now=NOW, **HOST))
    return store


def due(store: EventStore, now: datetime) -> str:
    return " ".join(row["_id"] for row in Agenda(store, "end_due_at", leases=(5,)).look(now)[0])


def draft(id: str, hours: int) -> domain.Event:
    starts = NOW + timedelta(hours=hours)
    return domain.draft(PLAN | {"starts_at": starts, "ends_at": starts + timedelta(hours=1)}, id=id, now=NOW, **HOST)


def listed(
    store: EventStore, status: str | None = "published", *, after: Any = None, limit: int = 9, **wanted: Any
) -> tuple[str, Any]:
    found, following = store.by_start(domain.Search(status, **wanted), after=after, limit=limit)
    return " ".join(each["_id"] for each in found), following


def test_events_are_listed_by_start_from_a_moment_on(store: EventStore) -> None:
    first, following = listed(store, limit=5)
    assert (first, listed(store, after=following)) == ("0 1 2 3 4", ("5 6 7 8 9", None))
    second = NOW + timedelta(hours=2)
    assert listed(store, starts_after=second) == ("4 5 6 7 8 9", None), (
        "what starts at that moment does not start after"
    )
    assert listed(store, starts_after=second - timedelta(milliseconds=1))[0].startswith("2 3")
    assert listed(store, starts_after=second - timedelta(microseconds=400))[0].startswith("2 3")
    assert listed(store, starts_after=second + timedelta(microseconds=400))[0].startswith("4 5")
    assert listed(store, starts_after=second, after=following) == ("5 6 7 8 9", None), "the later of both counts"
    assert listed(store, starts_after=second + timedelta(hours=2), after=following) == ("8 9", None)
    assert listed(store, starts_before=second) == ("0 1", None), "what starts at that moment does not start before"
    assert listed(store, starts_before=second + timedelta(milliseconds=1))[0] == "0 1 2 3"


def test_events_that_run_at_a_moment_or_within_a_time_are_found(make_store: Any) -> None:
    store: EventStore = make_store(EventStore)
    hours = {"over": (1, 2), "long": (1, 100 * 24 + 1), "runs": (2, 5), "begins": (4, 6), "later": (6, 7)}
    for id, (starts, ends) in hours.items():
        made = draft(id, hours=starts) | {"ends_at": NOW + timedelta(hours=ends)}
        store.add(domain.publish(made, now=NOW, **HOST))  # type: ignore[arg-type]
    three, six = NOW + timedelta(hours=3), NOW + timedelta(hours=6)
    assert listed(store, ends_after=three)[0] == "long runs begins later"
    assert listed(store, ends_after=three, starts_before=six) == ("long runs begins", None), "a stretch of time"
    assert listed(store, ends_after=three, starts_before=three)[0] == "long runs", "what runs at that moment"
    assert listed(store, ends_after=NOW + timedelta(hours=2))[0].startswith("long"), "what ends then is over"
    last = NOW + timedelta(hours=1) + domain.LONGEST
    assert listed(store, ends_after=last - timedelta(milliseconds=1))[0] == "long"
    assert listed(store, ends_after=last) == ("", None)
    first, following = listed(store, ends_after=three, starts_before=six, limit=2)
    assert (first, listed(store, ends_after=three, starts_before=six, after=following)) == (
        "long runs",
        ("begins", None),
    )
    assert listed(store, ends_after=datetime.min.replace(tzinfo=UTC))[0].startswith("long over"), "as old as time"
    assert listed(store, ends_after=datetime.max.replace(tzinfo=UTC)) == ("", None)


def test_filters_bound_each_other(make_store: Any) -> None:
    store: EventStore = make_store(EventStore)
    for number, (host, touchpoint, tags) in enumerate(
        itertools.product(("ana", "ben"), ("cafe", "online"), (["bread"], ["bread", "x ray"]))
    ):
        audience = {"everyone": False, "roles": [], "tags": tags}
        made = draft(f"{number}", hours=1 + number) | {"touchpoint": touchpoint, "audience": audience}
        store.add(domain.publish(made, now=NOW, **HOST) | {"host_id": host})  # type: ignore[arg-type, operator]
    assert listed(store, hosts=("ana",))[0] == "0 1 2 3"
    assert listed(store, touchpoint="online")[0] == "2 3 6 7"
    assert listed(store, tag="x ray")[0] == "1 3 5 7"
    assert listed(store, tag="x ray", touchpoint="online", hosts=("ben",)) == ("7", None)
    assert listed(
        store, tag="x ray", starts_after=NOW + timedelta(hours=4), starts_before=NOW + timedelta(hours=8)
    ) == (
        "5",
        None,
    )
    assert listed(store, hosts=("ana", "ben")) == ("", None), "nobody is two"


def test_the_ledger_has_all_events_page_by_page(store: EventStore) -> None:
    def ids(**wanted: Any) -> tuple[str, Any]:
        return listed(store, **{"status": None, "public": False, "limit": 20} | wanted)

    assert ids() == ("0 1 draft never off 2 3 4 5 6 7 8 9", None)
    first, following = ids(limit=5)
    assert (first, ids(after=following)[0]) == ("0 1 draft never off", "2 3 4 5 6 7 8 9")
    assert ids(status="draft") == ("draft", None)
    assert ids(ends_after=NOW + timedelta(hours=4)) == ("6 7 8 9", None), "what is over at that moment is left out"


@pytest.mark.parametrize("apart", [0, 7])
def test_pages_end_also_in_centuries_to_come(make_store: Any, apart: int) -> None:
    store: EventStore = make_store(EventStore)
    first = datetime(2250, 1, 1, 9, 0, 0, 5000, tzinfo=UTC)
    starts = [first + timedelta(milliseconds=apart * number) for number in range(102)]
    for number, at in enumerate(starts):
        event = domain.publish(draft(f"{number:03}", hours=1), now=NOW, **HOST)
        store.add(event | {"starts_at": at, "ends_at": at + timedelta(hours=1)})
    seen, after, pages = [], None, 0
    while pages < 12:
        page, after = store.by_start(domain.Search(), after=after, limit=10)
        seen, pages = seen + [each["starts_at"] for each in page], pages + 1
        if after is None:
            break
    assert (pages, seen) == (11, starts)
    for place in (0, 50):
        found, _ = listed(store, starts_after=starts[place])
        assert found.startswith(f"{place + 1:03} " if apart else ""), "what starts at that moment does not start after"
        assert bool(found) == bool(apart)


def test_of_what_was_cancelled_that_is_listed_which_members_knew(store: EventStore) -> None:
    assert listed(store, "cancelled") == ("off", None)
    assert listed(store, "draft", hosts=("host",), public=False) == ("draft", None)
    assert listed(store, "draft", hosts=("somebody else",), public=False) == ("", None)
    assert listed(store, "draft") == ("", None)
    assert listed(store, None, limit=20) == ("0 1 off 2 3 4 5 6 7 8 9", None)
    assert listed(store, None, hosts=("host",), public=False, limit=20)[0].startswith("0 1 draft never off 2")


def test_cancelled_events_of_an_earlier_version_are_listed_if_members_knew_them(store: EventStore) -> None:
    store.rows.update_many({}, {"$unset": {"published_at": ""}})
    assert listed(store, "cancelled") == listed(store, None) == ("", None)
    store.prepare()
    assert listed(store, "cancelled") == ("off", None)
    assert listed(store, None, limit=20) == ("0 1 off 2 3 4 5 6 7 8 9", None)
    assert store.get("0")["published_at"] == NOW
    assert store.get("off")["published_at"] == NOW
    assert domain.was_public(store.get("off"))
    assert not domain.was_public(store.get("never"))


def test_the_end_of_what_is_published_falls_due_and_of_nothing_else(store: EventStore) -> None:
    assert due(store, NOW + timedelta(hours=2) - timedelta(milliseconds=1)) == ""
    assert due(store, NOW + timedelta(hours=2)) == "0 1"
    assert due(store, NOW + timedelta(days=400)) == "0 1 2 3 4 5 6 7 8 9"


def test_the_end_of_what_an_older_version_published_falls_due_too(store: EventStore) -> None:
    store.rows.update_many({}, {"$unset": {"end_due_at": ""}})
    assert due(store, NOW + timedelta(days=400)) == ""
    store.prepare()
    assert due(store, NOW + timedelta(days=400)) == "0 1 2 3 4 5 6 7 8 9"
    store.save(domain.end(store.get("0"), now=NOW + timedelta(hours=2)))
    store.prepare()
    assert due(store, NOW + timedelta(days=400)) == "1 2 3 4 5 6 7 8 9", "what has ended is not planned again"


def test_what_has_ended_is_listed_apart(store: EventStore) -> None:
    store.save(domain.end(store.get("0"), now=NOW + timedelta(hours=2)))
    assert listed(store, "ended") == ("0", None)
    assert listed(store)[0].startswith("1 2")
