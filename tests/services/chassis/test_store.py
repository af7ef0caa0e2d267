"""Aggregates on a real store: one write saves and announces, and nobody's change is lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
import pytest
from pymongo.monitoring import CommandListener

from services.chassis import context, outbox
from services.chassis.aggregates import Aggregates
from services.contracts.errors import Conflict, Invalid, NotFound, Stale
from services.contracts.messages.feedback import FEEDBACK_SUBMITTED
from services.ground import identifiers
from tests.services.chassis.things import Things

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


class Kicks:
    """Stands in for the relay, and keeps the kicks that it gets."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, list[dict[str, Any]]]] = []

    def kick(self, rows: Any, id: str, events: list[dict[str, Any]]) -> None:
        self.heard.append((id, events))


@pytest.fixture
def things(make_store: Any) -> Aggregates:
    return make_store(Things)


def thing(**more: Any) -> dict[str, Any]:
    id = identifiers.new_id(NOW)
    body = {"voice_id": id, "kind": None, "touchpoint": "app", "text": "hello", "author_id": None}
    return {"_id": id, "changed_at": NOW, **body, **more}


class Writes(CommandListener):
    """Records the write concern of each insert and update."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def started(self, event: Any) -> None:
        if event.command_name in ("insert", "update"):
            self.asked.append(event.command.get("writeConcern"))

    def succeeded(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...


def test_what_is_saved_is_kept_by_so_many_that_no_failover_undoes_it(environment: dict[str, str]) -> None:
    writes = Writes()
    with pymongo.MongoClient(environment["MONGO_URI"], event_listeners=[writes]) as client:
        name = f"{environment['MONGO_DATABASE_PREFIX']}writes"
        things = Things(client[name], "feedback")
        things.save(things.add(thing()))
        client.drop_database(name)
    assert writes.asked == [{"w": "majority", "j": True}] * 2


def test_saving_and_announcing_are_one_write(things: Aggregates) -> None:
    things._relay = kicks = Kicks()  # type: ignore[assignment]
    saved = things.add(thing(), FEEDBACK_SUBMITTED.about(new := thing()) and None)
    assert saved["version"] == 1
    assert kicks.heard == []
    things.add(new, FEEDBACK_SUBMITTED.about(new))
    changed = things.save(
        {**things.get(new["_id"]), "text": "again"}, FEEDBACK_SUBMITTED.about(new | {"text": "again"})
    )
    stored = things.rows.find_one({"_id": new["_id"]})
    assert stored is not None
    assert [each["sequence"] for each in stored["outbox"]] == ["000000000001", "000000000002"]
    assert [each["data"]["text"] for each in stored["outbox"]] == ["hello", "again"]
    assert stored["unsent"] is True
    assert [events[0]["id"] for _, events in kicks.heard] == [each["id"] for each in stored["outbox"]]
    assert changed["version"] == stored["version"] == 2


def test_the_sequence_counts_what_was_announced(things: Aggregates) -> None:
    read = things.add(thing())
    read = things.save(read | {"text": "silent"})
    read = things.save(read | {"text": "told"}, FEEDBACK_SUBMITTED.about(read))
    things.repeat(read, FEEDBACK_SUBMITTED.about(read))
    things.save(read | {"text": "told again"}, FEEDBACK_SUBMITTED.about(read))
    stored = things.rows.find_one({"_id": read["_id"]})
    assert stored is not None
    assert (stored["version"], stored["sequence"]) == (4, 2)
    assert [each["sequence"] for each in stored["outbox"]] == ["000000000001", "000000000001", "000000000002"]


def test_what_is_announced_in_one_save_is_of_one_state(things: Aggregates) -> None:
    read = things.add(new := thing(), [FEEDBACK_SUBMITTED.about(new), FEEDBACK_SUBMITTED.about(new)])
    read = things.save(read | {"text": "silent"}, [])
    things.repeat(read, [FEEDBACK_SUBMITTED.about(read), FEEDBACK_SUBMITTED.about(read)])
    read = things.save(read | {"text": "told"}, [FEEDBACK_SUBMITTED.about(read), FEEDBACK_SUBMITTED.about(read)])
    stored = things.rows.find_one({"_id": read["_id"]})
    assert stored is not None
    assert (stored["version"], stored["sequence"]) == (3, 2), "a save without any is not counted"
    assert [int(each["sequence"]) for each in stored["outbox"]] == [1, 1, 1, 1, 2, 2]
    assert len({each["id"] for each in stored["outbox"]}) == 6


def test_a_document_read_with_its_outbox_brings_nothing_back(things: Aggregates) -> None:
    new = thing()
    things.add(new, FEEDBACK_SUBMITTED.about(new))
    read = things.rows.find_one({"_id": new["_id"]})
    assert read is not None
    things.rows.update_one({"_id": new["_id"]}, {"$unset": {"outbox": "", "unsent": ""}})
    things.save(read | {"text": "later"})
    assert "outbox" not in (things.rows.find_one({"_id": new["_id"]}) or {})


def test_what_was_sent_is_taken_out_and_what_came_meanwhile_stays(things: Aggregates) -> None:
    def of(id: str) -> Any:
        return things.rows.find_one({"_id": id}) or {}

    def sent(id: str, *events: dict[str, Any]) -> outbox.Sent:
        return outbox.Sent(things.rows, id, [event["id"] for event in events])

    new, other = thing(), thing()
    saved = things.add(new, FEEDBACK_SUBMITTED.about(new))
    things.save(saved | {"text": "again"}, FEEDBACK_SUBMITTED.about(new))
    things.add(other, FEEDBACK_SUBMITTED.about(other))
    first, second = of(new["_id"])["outbox"]
    outbox._forget([sent(new["_id"], first), sent(other["_id"], *of(other["_id"])["outbox"])])
    assert (of(new["_id"])["outbox"], of(new["_id"])["unsent"]) == ([second], True)
    outbox._forget([sent(new["_id"], first), sent(new["_id"], second), sent(other["_id"])])
    for id in (new["_id"], other["_id"]):
        assert not {"outbox", "unsent"} & set(of(id))


def test_what_is_announced_instead_takes_the_place_of_what_was_not_sent(things: Aggregates) -> None:
    new = thing()
    saved = things.add(new, FEEDBACK_SUBMITTED.about(new | {"text": "words to be forgotten"}))
    changed = saved | {"text": ""}
    things.save(changed, FEEDBACK_SUBMITTED.about(changed), instead=True)
    stored = things.rows.find_one({"_id": new["_id"]})
    assert stored is not None
    assert [each["sequence"] for each in stored["outbox"]] == ["000000000002"]
    assert "words to be forgotten" not in str(stored)
    assert (stored["unsent"], stored["sequence"]) == (True, 2)


def test_reading_shows_no_outbox(things: Aggregates) -> None:
    new = thing()
    things.add(new, FEEDBACK_SUBMITTED.about(new))
    assert set(things.get(new["_id"])) == {*new, "version", "sequence"}
    with pytest.raises(NotFound):
        things.get("nothing")


def test_a_second_of_the_same_id_is_refused_and_changes_nothing(things: Aggregates) -> None:
    new = thing()
    things.add(new)
    with pytest.raises(Conflict):
        things.add(new | {"text": "other"})
    assert things.get(new["_id"])["text"] == "hello"


def test_of_two_editors_one_is_told(things: Aggregates) -> None:
    read = things.add(thing())
    things.save(read | {"text": "first"})
    with pytest.raises(Conflict, match="meanwhile"):
        things.save(read | {"text": "second"}, FEEDBACK_SUBMITTED.about(read))
    stored = things.rows.find_one({"_id": read["_id"]})
    assert stored is not None
    assert (stored["text"], stored["version"]) == ("first", 2)
    assert "outbox" not in stored, "nothing of the refused change was announced"


def test_a_change_that_builds_on_another_version_is_stale(things: Aggregates) -> None:
    first = things.add(thing())
    second = things.save(first | {"text": "second"})
    try:
        context.begin("test", expected=frozenset({1}))
        with pytest.raises(Stale):
            things.save(second | {"text": "third"})
        with pytest.raises(Stale):  # also when somebody was faster between reading and saving
            things.save(first | {"text": "third"})
        context.begin("test", expected=frozenset({1, 2}))
        assert things.save(second | {"text": "third"})["version"] == 3
        context.begin("test", expected=frozenset())
        with pytest.raises(Stale):
            things.save(things.get(first["_id"]))
    finally:
        context.begin("test")
    assert things.save(things.get(first["_id"]) | {"text": "fourth"})["version"] == 4


def test_an_expected_version_is_one_of_what_was_asked_for(things: Aggregates) -> None:
    def versions(count: int) -> str:
        saved = things.add(thing())
        for _ in range(count - 1):
            saved = things.save(saved)
        return str(saved["_id"])

    for asked_first in (True, False):
        asked, ledger = versions(3), versions(7)
        try:
            context.begin("test", expected=frozenset({3}))
            read = things.get(asked, asked_for=True)
            saves = [read, things.get(ledger)]
            for each in saves if asked_first else reversed(saves):
                things.save(each)
            things.save(things.get(asked))
            context.begin("test", expected=frozenset({3}))
            with pytest.raises(Stale):
                things.save(things.get(asked, asked_for=True))
        finally:
            context.begin("test")
        assert (things.get(asked)["version"], things.get(ledger)["version"]) == (5, 8)


def told(things: Aggregates, id: str) -> tuple[list[str], list[str]]:
    """The sequences that ride in an aggregate, and those that would be right."""
    stored = things.rows.find_one({"_id": id}) or {}
    return [each["sequence"] for each in stored["outbox"]], [f"{n:012}" for n in range(1, stored["sequence"] + 1)]


def test_two_hundred_race_for_ten_places(things: Aggregates) -> None:
    id = things.add(thing(left=10, held=[]))["_id"]
    things._relay = kicks = Kicks()  # type: ignore[assignment]

    def claim(number: int) -> dict[str, Any] | None:
        return things.claim(
            id,
            holds={"left": {"$gt": 0}},
            update={"$inc": {"left": -1}, "$push": {"held": number}},
            announcing=FEEDBACK_SUBMITTED.about(thing(text=str(number))),
        )

    with ThreadPoolExecutor(200) as pool:
        claimed = [number for number, after in enumerate(pool.map(claim, range(200))) if after is not None]
    stored = things.rows.find_one({"_id": id}) or {}
    assert (len(claimed), stored["left"], stored["version"], stored["sequence"]) == (10, 0, 11, 10)
    assert sorted(stored["held"]) == claimed
    assert [each["data"]["text"] for each in stored["outbox"]] == [str(number) for number in stored["held"]]
    sequences, right = told(things, id)
    assert sequences == right
    assert sorted(each["id"] for _, events in kicks.heard for each in events) == sorted(
        each["id"] for each in stored["outbox"]
    )


def test_a_claim_is_refused_where_it_does_not_hold(things: Aggregates) -> None:
    id = things.add(thing(left=1))["_id"]
    after = things.claim(id, holds={"left": 1}, update={"$set": {"left": 0}})
    assert after is not None
    assert (after["left"], after["version"], after["sequence"]) == (0, 2, 0)
    assert "outbox" not in after
    assert things.claim(id, holds={"left": 1}, update={"$set": {"left": 0}}) is None
    assert things.claim("nothing", holds={}, update={"$set": {"left": 0}}, announcing=None) is None
    assert things.get(id)["version"] == 2


def test_two_hundred_changes_race_and_none_is_lost(things: Aggregates) -> None:
    id = things.add(thing(count=0))["_id"]

    def add_one(_: int) -> dict[str, Any]:
        return things.change(
            id,
            lambda before: before | {"count": before["count"] + 1},
            lambda before, after: FEEDBACK_SUBMITTED.about(before | {"text": f"{before['count']} {after['count']}"}),
            tries=1000,
        )

    with ThreadPoolExecutor(200) as pool:
        counts = [after["count"] for after in pool.map(add_one, range(200))]
    assert sorted(counts) == list(range(1, 201))
    sequences, right = told(things, id)
    assert sequences == right
    stored = things.rows.find_one({"_id": id}) or {}
    assert [each["data"]["text"] for each in stored["outbox"]] == [f"{n} {n + 1}" for n in range(200)]


def test_a_change_tries_again_what_was_lost_and_nothing_else(things: Aggregates) -> None:
    id, decided = things.add(thing(count=0))["_id"], 0

    def meanwhile(before: dict[str, Any]) -> dict[str, Any]:
        nonlocal decided
        decided += 1
        things.rows.update_one({"_id": id}, {"$inc": {"version": 1}})
        return before | {"count": 1}

    with pytest.raises(Conflict, match="meanwhile"):
        things.change(id, meanwhile, tries=3)
    assert (decided, things.get(id)["count"]) == (3, 0)
    try:
        context.begin("test", expected=frozenset({1}))
        with pytest.raises(Stale):
            things.change(id, meanwhile, asked_for=True)
    finally:
        context.begin("test")
    assert decided == 4
    version = things.get(id)["version"]
    assert things.change(id, lambda before: before)["version"] == version


def test_of_many_editors_at_once_none_is_lost(things: Aggregates) -> None:
    id = things.add(thing(count=0))["_id"]

    def add_one(_: int) -> None:
        while True:
            read = things.get(id)
            try:
                things.save(read | {"count": read["count"] + 1})
                return
            except Conflict:
                continue

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add_one, range(40)))
    assert things.get(id)["count"] == 40
    assert things.get(id)["version"] == 41


@pytest.mark.parametrize("ascending", [True, False])
def test_pages_show_each_row_once_also_of_the_same_moment(things: Aggregates, ascending: bool) -> None:
    made = [thing(at=NOW + timedelta(milliseconds=number // 4)) for number in range(23)]
    for each in made:
        things.add(each)
    seen: list[str] = []
    after = None
    while True:
        page, after = things.timeline({}, by="at", ascending=ascending, after=after, limit=5)
        seen += [each["_id"] for each in page]
        if after is None:
            break
    expected = [each["_id"] for each in sorted(made, key=lambda each: (each["at"], each["_id"]), reverse=not ascending)]
    assert seen == expected


@pytest.mark.parametrize("ascending", [True, False])
def test_pages_end_in_all_years(things: Aggregates, ascending: bool) -> None:
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC, microsecond=999_000)
    years = [datetime(year, 1, 1, 9, 0, 0, 1000, tzinfo=UTC) for year in (1066, 1969, 1970, 2026, 2242, 2250, 9999)]
    expected = sorted([first, last, *years], reverse=not ascending)
    for at in expected:
        things.add(thing(at=at))
    page, after = things.timeline({}, by="at", ascending=ascending, after=None, limit=1)
    seen = [page[0]["at"]]
    while after is not None and len(seen) <= len(expected):
        page, after = things.timeline({}, by="at", ascending=ascending, after=after, limit=1)
        seen += [each["at"] for each in page]
    assert seen == expected


def test_pages_of_what_is_bounded_anyway(things: Aggregates) -> None:
    made = [things.add(thing(at=NOW + timedelta(milliseconds=number // 4))) for number in range(23)]
    ids = sorted(each["_id"] for each in made if timedelta(milliseconds=1) <= each["at"] - NOW)
    query = {"at": {"$gte": NOW + timedelta(milliseconds=1)}, "_id": {"$ne": ids[5]}}
    seen: list[str] = []
    after = None
    while not seen or after is not None:
        page, after = things.timeline(query, by="at", ascending=False, after=after, limit=3)
        seen += [each["_id"] for each in page]
    assert sorted(seen) == ids[:5] + ids[6:]


def test_a_row_that_arrives_meanwhile_moves_no_page(things: Aggregates) -> None:
    for second in range(4):
        things.add(thing(at=NOW + timedelta(seconds=second)))
    first, after = things.timeline({}, by="at", ascending=False, after=None, limit=2)
    things.add(thing(at=NOW + timedelta(seconds=9)))
    second_page, _ = things.timeline({}, by="at", ascending=False, after=after, limit=2)
    assert not {each["_id"] for each in first} & {each["_id"] for each in second_page}
    assert len(second_page) == 2


def test_a_position_out_of_this_world_is_refused(things: Aggregates) -> None:
    with pytest.raises(Invalid):
        things.timeline({}, by="at", ascending=True, after=[10**30, "x"], limit=2)
