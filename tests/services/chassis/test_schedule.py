"""The schedule: planned work of a document is done once, by any of many processes, and again if it failed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.chassis.rows import Document
from services.chassis.schedule import AT_ONCE, Agenda, Leases, NotIndexed
from services.contracts.errors import Conflict
from tests.services.chassis.things import Loaves, Things

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
SECOND, LEASES = timedelta(seconds=1), (30, 60, 600)


@pytest.fixture
def loaves(make_store: Any) -> Loaves:
    return make_store(Loaves)


@pytest.fixture
def agenda(loaves: Loaves) -> Agenda:
    return Agenda(loaves, "done_due_at", leases=LEASES)


def loaf(id: str, at: datetime | None) -> Document:
    return {"_id": id, "changed_at": NOW, "done_due_at": at, "done": 0}


def due(agenda: Agenda, now: datetime) -> list[str]:
    return [row["_id"] for row in agenda.look(now)[0]]


def taken(agenda: Agenda, now: datetime) -> Document:
    """The oldest that is due, taken."""
    found = agenda.take(agenda.look(now)[0][0], now)
    assert found is not None
    return found


def bake(loaves: Loaves, row: Document) -> Document:
    return loaves.save({**row, "done": row["done"] + 1, "done_due_at": None})


def test_what_is_planned_is_due_from_its_moment_on_the_oldest_first(loaves: Loaves, agenda: Agenda) -> None:
    for id, seconds in ("a", 3), ("b", 1), ("c", 2):
        loaves.add(loaf(id, NOW + seconds * SECOND))
    loaves.add(loaf("never", None))
    assert due(agenda, NOW + SECOND - timedelta(milliseconds=1)) == []
    assert due(agenda, NOW + SECOND) == ["b"]
    assert due(agenda, NOW + timedelta(days=30)) == ["b", "c", "a"]


def test_what_was_done_is_done_once_and_leaves_no_trace_in_the_aggregate(loaves: Loaves, agenda: Agenda) -> None:
    added = loaves.add(loaf("a", NOW))
    row = taken(agenda, NOW)
    assert row.keys() == added.keys()
    assert row["version"] == added["version"], "who reads it meanwhile may build on it"
    bake(loaves, row)
    assert loaves.get("a").keys() == added.keys()
    assert due(agenda, NOW + timedelta(days=30)) == []


def test_many_processes_do_a_thing_once(loaves: Loaves, mongo_uri: str) -> None:
    ids = [f"{number:03}" for number in range(3 * AT_ONCE // 2)]
    for id in ids:
        loaves.add(loaf(id, NOW))

    def process(_number: int) -> list[str]:
        agenda, found = Agenda(loaves, "done_due_at", leases=LEASES), []
        while rows := agenda.look(NOW)[0]:
            for row in (agenda.take(row, NOW) for row in rows):
                if row is not None:
                    bake(loaves, row)
                    found.append(row["_id"])
        return found

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(process, range(4)))
    assert sorted(id for found in done for id in found) == ids
    assert {row["done"] for row in loaves.rows.find()} == {1}


def test_of_one_that_was_seen_by_two_one_is_given_nothing(loaves: Loaves, agenda: Agenda) -> None:
    loaves.add(loaf("a", NOW))
    (row,), _ = agenda.look(NOW)
    assert agenda.take(row, NOW) is not None
    assert agenda.take(row, NOW) is None


def test_what_failed_is_due_again_later_each_time(loaves: Loaves, agenda: Agenda) -> None:
    loaves.add(loaf("a", NOW))
    now = NOW
    for lease in (*LEASES, LEASES[-1]):
        taken(agenda, now)
        again = now + timedelta(seconds=lease)
        assert due(agenda, again - timedelta(milliseconds=1)) == []
        assert due(agenda, again) == ["a"]
        now = again


def test_what_takes_longer_than_its_lease_has_no_second_effect(loaves: Loaves, agenda: Agenda) -> None:
    loaves.add(loaf("a", NOW))
    slow = taken(agenda, NOW)
    bake(loaves, taken(agenda, NOW + LEASES[0] * SECOND))
    with pytest.raises(Conflict):
        bake(loaves, slow)
    assert loaves.get("a")["done"] == 1


def test_a_plan_that_is_moved_or_dropped_is_not_carried_out_as_it_was(loaves: Loaves, agenda: Agenda) -> None:
    for id in ("moved", "dropped"):
        loaves.add(loaf(id, NOW))
    seen, _ = agenda.look(NOW)
    working = {row["_id"]: agenda.take(row, NOW) for row in seen}
    loaves.save(loaves.get("moved") | {"done_due_at": NOW + timedelta(days=1)})
    loaves.save(loaves.get("dropped") | {"done_due_at": None})
    for row in working.values():
        with pytest.raises(Conflict):
            bake(loaves, row or {})
    assert [agenda.take(row, NOW) for row in seen] == [None, None], "a reader of the old plan does not take the new one"
    assert due(agenda, NOW + timedelta(hours=23)) == []
    assert due(agenda, NOW + timedelta(days=1)) == ["moved"]


def test_a_new_plan_has_all_its_tries(loaves: Loaves, agenda: Agenda) -> None:
    loaves.add(loaf("a", NOW))
    taken(agenda, NOW)
    bake(loaves, taken(agenda, NOW + timedelta(hours=1)))
    loaves.save(loaves.get("a") | {"done_due_at": NOW + timedelta(days=1)})
    taken(agenda, NOW + timedelta(days=1))
    assert due(agenda, NOW + timedelta(days=1, seconds=LEASES[0])) == ["a"]


def test_a_save_by_somebody_who_read_it_before_it_was_taken_loses_nothing(loaves: Loaves, agenda: Agenda) -> None:
    before = loaves.add(loaf("a", NOW))
    row = taken(agenda, NOW)
    loaves.save(before | {"crust": "dark"})
    with pytest.raises(Conflict):
        bake(loaves, row)
    bake(loaves, taken(agenda, NOW))
    assert (loaves.get("a")["crust"], loaves.get("a")["done"]) == ("dark", 1)


def test_the_oldest_plan_is_known_while_it_waits_for_its_next_try(loaves: Loaves, agenda: Agenda) -> None:
    assert agenda.look(NOW) == ([], 0)
    loaves.add(loaf("a", NOW))
    loaves.add(loaf("later", NOW + timedelta(minutes=5)))
    assert agenda.look(NOW + 10 * SECOND)[1] == 10
    row = taken(agenda, NOW + 10 * SECOND)
    assert agenda.look(NOW + 20 * SECOND) == ([], 20)
    bake(loaves, row)
    assert agenda.look(NOW + 20 * SECOND) == ([], 0)


def test_a_field_without_an_index_is_refused(make_store: Any) -> None:
    with pytest.raises(NotIndexed, match="things needs an index of done_due_at"):
        Agenda(make_store(Things), "done_due_at", leases=LEASES)


def test_regular_work_is_planned_once_and_again_after_it_was_done(make_store: Any) -> None:
    leases: Leases = make_store(Leases)
    for _ in range(2):
        leases.keep("tidy", NOW)
        leases.keep("count", NOW)
    tidy = Agenda(leases, "due_at", only={"_id": "tidy"}, leases=(600,))
    row = taken(tidy, NOW)
    assert due(tidy, NOW + 599 * SECOND) == []
    tidy.plan(row, NOW + timedelta(days=1))
    leases.keep("tidy", NOW)
    assert due(tidy, NOW + timedelta(hours=23)) == []
    assert due(tidy, NOW + timedelta(days=1)) == ["tidy"]


def test_whoever_was_too_slow_does_not_plan_the_work_of_another(make_store: Any) -> None:
    leases: Leases = make_store(Leases)
    leases.keep("tidy", NOW)
    tidy = Agenda(leases, "due_at", only={"_id": "tidy"}, leases=(600,))
    slow = taken(tidy, NOW)
    taken(tidy, NOW + 600 * SECOND)
    tidy.plan(slow, NOW + timedelta(days=1))
    assert due(tidy, NOW + 1200 * SECOND) == ["tidy"]
