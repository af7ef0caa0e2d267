"""Inboxes on a real store."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from services.notifications.inbox import domain as inbox
from services.notifications.inbox.domain import Reader
from services.notifications.inbox.store import InboxStore

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
A, B = (Reader(name, NOW - timedelta(days=1)) for name in "ab")
NOTICE: dict[str, Any] = {
    "kind": "events.published",
    "facts": {"title": "t", "starts_at": datetime(2027, 3, 1, 9, tzinfo=UTC)},
    "link": "/l",
    "about": "the-event",
    "expires_at": None,
}


def test_a_line_put_twice_is_there_once_and_stays_read(make_store: Any) -> None:
    store = make_store(InboxStore)
    lines = [inbox.line(member, "n1", NOTICE, NOW) for member in ("a", "b")]
    store.put([dict(each) for each in lines])
    assert store.read(A, "n1", NOW)
    store.put([dict(each) for each in [*lines, inbox.line("c", "n1", NOTICE, NOW)]], journaled=True)
    assert (store.unread(A), store.unread(B), store.unread(A._replace(id="c"))) == (0, 1, 1)
    assert store.rows.count_documents({}) == 3


def test_lines_that_no_majority_has_are_not_there_yet(make_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test plays the answer of a replica set whose primary steps down meanwhile; here is no such set."""

    def step_down(*_args: Any, **_options: Any) -> None:
        told = {"code": 189, "errmsg": "primary stepped down while waiting for replication"}
        raise BulkWriteError({"nInserted": 1, "writeErrors": [], "writeConcernErrors": [told]})

    store = make_store(InboxStore)
    monkeypatch.setattr(Collection, "insert_many", step_down)
    with pytest.raises(BulkWriteError):
        store.put([inbox.line("a", "n1", NOTICE, NOW)], journaled=True)


def test_reading_is_ones_own_affair(make_store: Any) -> None:
    store = make_store(InboxStore)
    store.put([inbox.line("a", f"n{number}", NOTICE, NOW + timedelta(seconds=number)) for number in range(4)])
    store.put([inbox.line("b", "n0", NOTICE, NOW)])
    assert not store.read(B, "n1", NOW), "it is not theirs"
    assert store.read(A, "n3", NOW)
    assert store.read(A, "n3", NOW + timedelta(days=1)), "twice is the same as once"
    assert store.rows.find_one({"_id": "a:n3"})["read_at"] == NOW
    assert store.read_all(A, NOW + timedelta(seconds=1)) == 2, "n2 came later"
    assert [each["notification"] for each in store.youngest(A, unread=True, after=None, limit=9)[0]] == ["n2"]
    assert [each["notification"] for each in store.youngest(A, unread=False, after=None, limit=2)[0]] == ["n3", "n2"]
    assert store.unread(B) == 1


SENTENCE = {"title": "t", "body": "b", "reason": "r"}


def test_a_line_that_was_left_without_words_stays_so(make_store: Any) -> None:
    store = make_store(InboxStore)
    store.put([inbox.line("a", "n1", NOTICE, NOW)])
    assert store.read(A, "n1", NOW)
    store.blank(["a", "b"], "n1", NOTICE, NOW)
    store.blank([], "n1", NOTICE, NOW)
    store.put([inbox.line(member, "n1", NOTICE, NOW) for member in ("a", "b")])
    lines = {each["member"]: each for each in store.rows.find({})}
    assert [(each["facts"], each["link"]) for each in lines.values()] == [({"withdrawn": True}, "/l")] * 2
    assert (lines["a"]["read_at"], lines["b"]["read_at"]) == (NOW, None)


def test_the_words_about_one_thing_are_taken_from_some(make_store: Any) -> None:
    store = make_store(InboxStore)
    other, kind = NOTICE | {"link": "/other"}, NOTICE | {"kind": "another"}
    for number, notice in enumerate((NOTICE, other, kind)):
        store.put([inbox.line(member, f"n{number}", notice, NOW) for member in ("a", "b")])
    store.rows.insert_one({"_id": "a:old", "member": "a", "kind": NOTICE["kind"], "link": "/l", **SENTENCE})
    store.blank_about(["a"], [NOTICE])
    gone = {each["_id"]: each for each in store.rows.find({"facts": {"withdrawn": True}})}
    assert set(gone) == {"a:n0", "a:old"}
    assert gone["a:old"] == {
        "_id": "a:old",
        "member": "a",
        "kind": NOTICE["kind"],
        "link": "/l",
        "facts": {"withdrawn": True},
    }, "also of a line that an older version wrote"


def test_marks_go_when_their_broadcasts_do(make_store: Any) -> None:
    store = make_store(InboxStore)
    for number in range(3):
        at = NOW + timedelta(days=number)
        store.broadcasts.keep(inbox.broadcast(f"n{number}", NOTICE, at, belonging=at, but=None))
        assert store.read(A, f"n{number}", at + timedelta(hours=1))
    assert store.read(B, "n0", NOW + timedelta(days=2))
    before = NOW + timedelta(days=1)
    store.broadcasts.forget(before)
    store.forget(["a", "b", "c"], before)
    assert set(store.marks.of("a").read) == {"n1", "n2"}
    assert set(store.marks.of("b").read) == {"n0"}, "it was read later, so it goes later"
    store.forget(["a", "b"], NOW + timedelta(days=9))
    assert (store.marks.of("a").read, store.marks.of("b").read) == ({}, {})
