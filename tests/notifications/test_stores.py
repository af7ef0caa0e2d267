"""The copy of the members, lines in inboxes and the fan-out's jobs on a real store."""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from services.contracts.errors import Conflict, NotYet
from services.contracts.shapes.notifications import moment_of
from services.ground import clock, identifiers
from services.notifications.fanout import domain as fanout
from services.notifications.fanout.store import JobStore, ToldStore
from services.notifications.followers import domain as followers
from services.notifications.followers.store import FollowerStore
from services.notifications.inbox import domain as inbox
from services.notifications.inbox.domain import Reader
from services.notifications.inbox.store import InboxStore
from services.notifications.people import domain as people
from services.notifications.people.store import PeopleStore, ReachStore

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
A, B = (Reader(name, NOW - timedelta(days=1)) for name in "ab")
NOTICE: dict[str, Any] = {
    "kind": "events.published",
    "facts": {"title": "t", "starts_at": datetime(2027, 3, 1, 9, tzinfo=UTC)},
    "link": "/l",
    "about": "the-event",
    "expires_at": None,
}


def person(
    id: str, sequence: int = 1, roles: tuple[str, ...] = (), tags: tuple[str, ...] = (), joined: datetime = NOW
) -> Any:
    return people.person(id, f"name {sequence}", list(roles), list(tags), joined, sequence)


@pytest.mark.parametrize("order", list(itertools.permutations([1, 2, 3])))
def test_the_copy_is_as_young_as_the_youngest_message_in_whatever_order(
    make_store: Any, order: tuple[int, ...]
) -> None:
    store = make_store(PeopleStore)
    for sequence in (*order, *order):
        store.keep(person("m", sequence))
    assert [each["name"] for each in store.rows.find({})] == ["name 3"]


@pytest.mark.parametrize("order", list(itertools.permutations([1, 2, 3])))
def test_an_address_is_forgotten_with_its_member_in_whatever_order(make_store: Any, order: tuple[int, ...]) -> None:
    store = make_store(ReachStore)
    told = {1: ("old@hub.example", "active"), 2: ("new@hub.example", "active"), 3: (None, "removed")}
    for sequence in (*order, *order):
        email, status = told[sequence]
        store.keep(people.reach("m", email, "de", "Africa/Nairobi", sequence, status))
    assert list(store.rows.find()) == [{"_id": "m", "email": None, "language": "", "zone": "", "sequence": 3}]


def test_an_audience_is_roles_or_tags_of_those_who_belonged(make_store: Any) -> None:
    store = make_store(PeopleStore)
    store.keep(person("c", roles=("host",), tags=("wine", "bread")))
    store.keep(person("a", roles=("mentor",)))
    store.keep(person("b", tags=("bread",)))
    store.keep(person("d", roles=("mentor",), tags=("bread",), joined=NOW + timedelta(seconds=1)))

    def told(**audience: Any) -> Any:
        return store.audience({"roles": [], "tags": []} | audience, at=NOW, but="a")

    assert told(roles=["mentor"]) == [], "the one is the actor, the other came later"
    assert told(roles=["mentor", "host"], tags=["bread"]) == ["b", "c"], "each once, in the order of their ids"
    assert told(tags=["bread", "bread"]) == ["b", "c"]
    assert told(tags=["nothing"]) == []
    assert store.anybody("host")
    assert not store.anybody("trainer")
    assert not store.anybody("bread"), "a tag is not a role"


def test_the_roster_follows_every_change_whoever_makes_it(make_store: Any) -> None:
    store, elsewhere = make_store(PeopleStore), make_store(PeopleStore)

    def told(role: str) -> list[str]:
        found: list[str] = store.audience({"roles": [role], "tags": []}, at=NOW, but=None)
        return found

    store.rows.insert_one(person("a", roles=("mentor",)))
    assert told("mentor") == ["a"], "also what an older version has left"
    elsewhere.keep(person("b", roles=("mentor",)))
    assert told("mentor") == ["a", "b"]
    elsewhere.keep(person("a", sequence=2, roles=("host",)))
    assert (told("mentor"), told("host")) == (["b"], ["a"])
    store.rows.delete_many({})
    elsewhere.keep(person("c", roles=("mentor",)))
    assert told("mentor") == ["c"], "a copy thrown away is seen with the first that is heard again"


def test_of_many_who_find_the_roster_old_one_reads_it(make_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store, readings = make_store(PeopleStore), list[Any]()
    store.keep(person("a", roles=("mentor",)))
    read = store._read

    def slowly(query: Any) -> Any:
        readings.append(query)
        time.sleep(0.2)
        return read(query)

    monkeypatch.setattr(store, "_read", slowly)
    mentors = {"roles": ["mentor"], "tags": []}
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(store.audience, mentors, at=NOW, but=None) for _ in range(8)]
        assert [each.result(10) for each in asked] == [["a"]] * 8
    assert readings == [{}]


def test_a_very_large_hub_is_asked_row_by_row(make_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.notifications.people.store.ROSTER_AT_MOST", 1)
    store = make_store(PeopleStore)
    for id, roles, tags in (("a", ("mentor",), ()), ("b", (), ("bread",)), ("c", ("host",), ())):
        store.keep(person(id, roles=roles, tags=tags))
    audience = {"roles": ["mentor"], "tags": ["bread"]}
    assert store.audience(audience, at=NOW, but=None) == ["a", "b"]
    assert store.audience(audience | {"roles": []}, at=NOW, but=None) == ["b"]
    assert store.audience(audience, at=NOW, but="b") == ["a"]


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


@pytest.mark.parametrize("word", ["", "x", "-", "12", "x-y", "1e5-y", "-1-y", "9" * 40 + "-y", "9" * 15 + "-y", "²-y"])
def test_an_event_that_is_not_ours_is_nowhere(word: str) -> None:
    assert moment_of(word) is None


def test_of_two_who_tell_the_same_one_gives_way(make_store: Any) -> None:
    store = make_store(JobStore)
    mine, theirs = (fanout.begin("m", NOW) for _ in range(2))
    job = store.step(fanout.advance(mine, fanout.Portion(1, ["a", "b"], last=False), NOW))
    with pytest.raises(Conflict):
        store.step(fanout.advance(theirs, fanout.Portion(1, ["a"], last=True), NOW))
    assert (job["cursor"], job["portions"], job["version"]) == ("b", 1, 1)
    done = store.step(fanout.advance(job, fanout.Portion(3, ["c"], last=True), NOW))
    assert done["done_at"] == NOW
    assert store.find("m")["portions"] == 3


SENTENCE = {"title": "t", "body": "b", "reason": "r"}
NEWS = fanout.News("n", "the-event", "m", {"kind": "events.published"})


def test_who_was_told_is_as_it_was_written_down_first(make_store: Any) -> None:
    store, elsewhere = make_store(ToldStore), make_store(ToldStore)
    first = fanout.Portion(1, ["a", "b"], last=False, but="b")
    assert store.keep(NEWS, first, NOW) == first
    assert elsewhere.keep(NEWS, fanout.Portion(1, ["c"], last=True), NOW + timedelta(days=1)) == first
    assert store.last("the-event", "events.published")["last"] is False
    end = fanout.Portion(2, [], last=True)
    assert store.keep(NEWS, end, NOW) == end
    assert (store.last("the-event", "events.published")["nth"], store.nth("n", 1)) == (2, first)
    assert store.last("the-event", "events.cancelled") is None
    with pytest.raises(NotYet):
        store.nth("n", 3)
    last = store.last("the-event", "events.published")
    assert [id for id in "abc" if store.reached(last, id)] == ["a", "b"], "also whose deed it was"
    everyone = fanout.Portion(1, [], last=True, belonging=NOW, but="b")
    cancelled = fanout.News("o", "the-event", "o", {"kind": "events.cancelled"})
    assert store.keep(cancelled, everyone, NOW) == store.keep(cancelled, first, NOW) == everyone
    assert store.reached(store.last("the-event", "events.cancelled"), "c")
    assert [each["_id"] for each in store.about("the-event")] == ["o:000001", "n:000001", "n:000002"]
    assert list(store.about("another-event")) == []


def test_many_who_tell_the_same_at_once_tell_it_to_the_same(make_store: Any) -> None:
    store = make_store(ToldStore)
    portions = [fanout.Portion(1, [name], last=True) for name in "abcdefgh"]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda portion: store.keep(NEWS, portion, NOW), portions))
    assert len({portion.ids[0] for portion in found}) == 1


def test_words_are_withdrawn_once_and_for_all(make_store: Any) -> None:
    store = make_store(ToldStore)
    assert not store.is_withdrawn("v")
    for moment in (NOW, NOW + timedelta(days=1)):
        store.withdraw("v", moment)
    assert store.is_withdrawn("v")
    assert not store.is_withdrawn("w")
    assert list(store.about("v")) == []
    assert store.rows.find_one({})["withdrawn"] == NOW
    assert "at" not in store.rows.find_one({}), "so it is not thrown away with the records"


def test_records_begin_when_the_first_process_starts(make_store: Any) -> None:
    before = clock.now()
    store = make_store(JobStore)
    assert before <= store.began <= clock.now()
    assert make_store(JobStore).began == store.began


def test_where_an_older_version_was_it_may_go_on_for_a_while(make_store: Any) -> None:
    make_store(JobStore).rows.delete_many({})  # as one has left it
    store = make_store(JobStore)
    assert store.began > clock.now() + fanout.SIDE_BY_SIDE / 2
    assert make_store(JobStore).began == store.began


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


def test_everybody_is_given_many_at_a_time(make_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.notifications.people.store.ASKED_TOGETHER", 2)
    store = make_store(PeopleStore)
    assert list(store.everybody()) == []
    for id in "abc":
        store.keep(person(id))
    found = list(store.everybody())
    assert [len(each) for each in found] == [2, 1]
    assert sorted(itertools.chain(*found)) == ["a", "b", "c"]


EVENT = identifiers.new_id(NOW)


@pytest.mark.parametrize("order", list(itertools.permutations([1, 2, 3])))
def test_a_follower_is_as_young_as_the_youngest_message_in_whatever_order(
    make_store: Any, order: tuple[int, ...]
) -> None:
    store = make_store(FollowerStore)
    states = {1: "invited", 2: "going", 3: "cancelled"}
    for sequence in (*order, *order):
        store.keep(followers.follower(EVENT, "b", states[sequence], sequence))
    store.keep(followers.follower(EVENT, "a", "going", 1))
    store.keep(followers.follower(identifiers.new_id(NOW), "c", "going", 1))
    assert store.of(EVENT, ["going", "cancelled"], awaited=False) == ["a", "b"]
    assert store.of(EVENT, ["going"], awaited=True) == ["a"]
    assert store.of(EVENT, ["invited"], awaited=False) == []


def test_who_follows_is_waited_for_unless_it_was_before_followers_were_heard_of(make_store: Any) -> None:
    store = make_store(FollowerStore)
    assert store.of(EVENT, ["hosting"], awaited=True) == [], "it was before"
    later = identifiers.new_id(store.began + timedelta(milliseconds=1))
    assert store.of(later, ["hosting"], awaited=False) == []
    with pytest.raises(NotYet):
        store.of(later, ["hosting"], awaited=True)
    store.keep(followers.follower(later, "a", "hosting", 1))
    assert store.of(later, ["hosting"], awaited=True) == ["a"]
    assert make_store(FollowerStore).began == store.began > clock.now(), "noted once; an older version may go on"
