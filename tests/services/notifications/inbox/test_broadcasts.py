"""Inboxes of own lines and of broadcasts, on a real store: nobody sees which is which."""

from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.contracts.shapes.notifications import event_id, moment_of
from services.notifications.inbox import domain
from services.notifications.inbox.domain import OVERLAP, Reader
from services.notifications.inbox.service import Inbox
from services.notifications.inbox.store import InboxStore
from services.notifications.people.store import PeopleStore
from tests.rig.capability import Capability

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOTICE: dict[str, Any] = {
    "kind": "events.published",
    "facts": {"title": "t", "starts_at": datetime(2027, 3, 1, 9, tzinfo=UTC)},
    "link": "/l",
    "about": "the-event",
    "expires_at": None,
}
A, B = (Reader(name, NOW - timedelta(days=1)) for name in "ab")


def tell_all(store: InboxStore, id: str, at: datetime, *, belonging: datetime = NOW, but: str | None = None) -> Any:
    return store.broadcasts.keep(domain.broadcast(id, NOTICE, at, belonging=belonging, but=but))


def tell(store: InboxStore, told: str, every: timedelta = HOUR) -> None:
    """Notifications n0, n1, …: an `o` is a line of A's own, an `e` for everyone."""
    for number, whose in enumerate(told):
        id, at = f"n{number}", NOW + number * every
        if whose == "o":
            store.put([domain.line("a", id, NOTICE, at)])
        else:
            tell_all(store, id, at)


def pages(store: InboxStore, reader: Reader, limit: int = 9, *, unread: bool = False) -> list[list[str]]:
    """The notifications of all pages, from the first to the last."""
    found, after = [], None
    while True:
        page, after = store.youngest(reader, unread=unread, after=after, limit=limit)
        found.append([each["notification"] for each in page])
        if after is None:
            return found


@given(
    told=st.text("oe", max_size=9),
    limit=st.integers(1, 10),
    read=st.sets(st.integers(0, 8)),
    every=st.sampled_from([timedelta(0), timedelta(milliseconds=1), HOUR]),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_inbox_is_as_if_each_were_a_line_of_its_own(
    make_store: Any, told: str, limit: int, read: set[int], every: timedelta
) -> None:
    store: InboxStore = make_store(InboxStore)
    for each in (store, store.broadcasts, store.marks):
        each.rows.delete_many({})
    tell(store, told, every)
    assert [number for number in range(9) if number in read and store.read(A, f"n{number}", NOW + number * HOUR)] == [
        number for number in range(len(told)) if number in read
    ]
    expected = [f"n{number}" for number in reversed(range(len(told)))]
    found = pages(store, A, limit)
    assert list(chain(*found)) == expected
    assert {len(page) for page in found[:-1]} <= {limit}
    assert len(found) == max(1, -(-len(told) // limit)), "no empty page at the end"
    unread = [id for id in expected if int(id[1:]) not in read]
    assert list(chain(*pages(store, A, limit, unread=True))) == unread
    assert store.unread(A) == len(unread)
    shown, _ = store.youngest(A, unread=False, after=None, limit=100)
    for line in shown:
        number = int(line["notification"][1:])
        wanted = domain.line("a", f"n{number}", NOTICE, NOW + number * every)
        assert line | {"member": "a"} == wanted | {"read_at": NOW + number * HOUR if number in read else None}


def test_a_broadcast_that_comes_twice_is_there_once_as_it_was(make_store: Any) -> None:
    store: InboxStore = make_store(InboxStore)
    first = tell_all(store, "n", NOW, but="b")
    assert first["at"] == NOW
    assert store.read(A, "n", NOW)
    assert tell_all(store, "n", NOW + HOUR, but="b") == first, "at the moment when it was told first"
    assert (store.unread(A), pages(store, A)) == (0, [["n"]])


def test_a_broadcast_is_for_those_who_belonged_but_for_whose_deed_it_is(make_store: Any) -> None:
    store: InboxStore = make_store(InboxStore)
    tell_all(store, "n1", NOW + timedelta(minutes=1), but="b")
    tell_all(store, "n2", NOW - timedelta(minutes=1))  # by a clock that is behind
    told = {A: {"n1", "n2"}, B: {"n2"}, Reader("c", NOW): {"n1", "n2"}, Reader("d", NOW + OVERLAP): set[str]()}
    for reader, ids in told.items():
        assert set(chain(*pages(store, reader))) == ids
        assert {each["notification"] for each in store.since(reader, NOW - HOUR, 9)} == ids
        assert store.unread(reader) == len(ids)
        assert store.read(reader, "n1", NOW) == ("n1" in ids)
        assert store.read_all(reader, NOW + HOUR) == len(ids - {"n1"})
        assert store.unread(reader) == 0
    assert store.marks.rows.count_documents({}) == 3, "a member without lines has marked none"


def test_to_mark_all_leaves_what_came_later_and_keeps_when_each_was_read(make_store: Any) -> None:
    store: InboxStore = make_store(InboxStore)
    tell(store, "eeoe")
    assert store.read(A, "n0", NOW)
    assert store.read_all(A, NOW + 2 * HOUR) == 2
    assert store.read_all(A, NOW + 2 * HOUR) == 0
    # It became visible late, with a moment a little before the one up to which all was marked.
    tell_all(store, "n2x", NOW + 2 * HOUR - OVERLAP / 2)
    assert pages(store, A, unread=True) == [["n3", "n2x"]]
    assert store.unread(A) == 2
    assert store.read_all(A, NOW + 9 * HOUR) == 2
    read = {each["notification"]: each["read_at"] for each in store.youngest(A, unread=False, after=None, limit=9)[0]}
    moments = {"n0": 0, "n1": 2, "n2": 2, "n2x": 9, "n3": 9}
    assert read == {id: NOW + hours * HOUR for id, hours in moments.items()}
    assert store.unread(B) == 4, "the others have read nothing"


def test_whoever_comes_back_is_given_what_they_may_lack(make_store: Any) -> None:
    store: InboxStore = make_store(InboxStore)
    tell(store, "oeoeo", every=timedelta(seconds=3))
    last = moment_of(event_id(NOW + timedelta(seconds=9), "n3"))
    assert last == NOW + timedelta(seconds=9)
    moment = domain.seen_until(last)
    assert [each["notification"] for each in store.since(A, moment, 100)] == ["n2", "n3", "n4"]
    assert [each["notification"] for each in store.since(A, moment, 2)] == ["n2", "n3"], "the oldest first"
    assert [each["notification"] for each in store.since(B, moment, 100)] == ["n3"]


def test_to_mark_all_spares_looking_again_at_what_was_read_one_by_one(make_store: Any) -> None:
    store: InboxStore = make_store(InboxStore)
    tell(store, "ee")
    assert [store.read(A, id, NOW) for id in ("n0", "n1")] == [True, True]
    assert store.marks.of("a").until is None
    assert store.read_all(A, NOW + 2 * HOUR) == 0
    assert store.marks.of("a").until == NOW + 2 * HOUR - OVERLAP


def test_what_was_kept_long_enough_is_gone_and_nothing_else(make_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    people = make_store(PeopleStore)
    for member in "ab":
        people.rows.insert_one({"_id": member, "roles": [], "tags": [], "joined_at": NOW, "sequence": 1})
    inbox = Capability(Inbox, make_store, days=365)
    store: InboxStore = inbox.store("inbox")
    tell(store, "ooee")
    store.put([domain.line("b", "n0", NOTICE, NOW)])
    monkeypatch.setattr("services.ground.clock.now", lambda: NOW + timedelta(days=365))
    for work in ("forget_lines", "forget_broadcasts"):
        inbox.do(work)
    assert pages(store, A) == [["n3", "n2", "n1", "n0"]], "what is 365 days old is still kept"
    monkeypatch.setattr("services.ground.clock.now", lambda: NOW + timedelta(days=365, milliseconds=1))
    inbox.do("forget_lines")
    assert (pages(store, A), pages(store, B)) == ([["n3", "n2", "n1"]], [["n3", "n2"]])
    monkeypatch.setattr("services.ground.clock.now", lambda: NOW + timedelta(days=365) + 2.5 * HOUR)
    for work in ("forget_lines", "forget_broadcasts") * 2:
        inbox.do(work)
    assert (pages(store, A), pages(store, B)) == ([["n3"]], [["n3"]])


def test_a_hub_that_forgets_nothing_may_say_so(make_store: Any) -> None:
    inbox = Capability(Inbox, make_store, days=1_000_000)
    tell(inbox.store("inbox"), "oe")
    for work in ("forget_lines", "forget_broadcasts"):
        inbox.do(work)
    assert pages(inbox.store("inbox"), A) == [["n1", "n0"]]
