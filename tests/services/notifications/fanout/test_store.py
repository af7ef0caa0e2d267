"""Who was told, on a real store."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.contracts.errors import Conflict, NotYet
from services.ground import clock
from services.notifications.fanout import domain as fanout
from services.notifications.fanout.store import JobStore, ToldStore

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


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
