"""Processes with a schedule: stopped, killed, without a store or a broker, they lose nothing and do nothing twice."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pymongo
import pytest

from services.ground import clock, identifiers
from tests.rig.processes import Processes, until
from tests.rig.proxy import Proxy

HOUR = timedelta(hours=1)


@pytest.fixture
def bakery(environment: dict[str, str]) -> Iterator[Any]:
    """Its database, and then no more."""
    with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"], tz_aware=True) as client:
        database = client[environment["MONGO_DATABASE_PREFIX"] + "feedback"]
        for name in ("loaves", "leases", "days"):
            database[name].delete_many({})
        yield database
        for name in ("loaves", "leases", "days"):
            database[name].drop()


def plan(bakery: Any, many: int, needs: str = "ok", at: timedelta = -HOUR) -> list[str]:
    ids = [identifiers.new_id(clock.now()) for _ in range(many)]
    now = clock.now()
    common = {"version": 1, "sequence": 0, "changed_at": now, "done": 0, "needs": needs, "done_due_at": now + at}
    bakery.loaves.insert_many([{"_id": id, **common} for id in ids])
    return ids


def done(bakery: Any) -> list[int]:
    """The number of times that each loaf was done. Only loaves that were announced as often are listed."""
    return [row["done"] for row in bakery.loaves.find() if row["sequence"] == row["done"]]


def serve(processes: Processes, *names: str, **more: str) -> None:
    for name in names:
        processes.start(name, "-m", "tests.services.chassis.bakery", **more)
    for name in names:
        processes.until(name, "serving")


def test_what_fell_due_while_nobody_served_is_done_once_by_whoever_comes(processes: Processes, bakery: Any) -> None:
    plan(bakery, 150)
    later = plan(bakery, 1, at=HOUR)
    serve(processes, "one", "two")
    until(lambda: sum(done(bakery)) == 150)
    assert sorted(set(done(bakery))) == [0, 1]
    assert bakery.loaves.find_one({"_id": later[0]})["done"] == 0


def test_what_fails_is_tried_again_until_it_is_done_and_keeps_nothing_else_from_it(
    processes: Processes, bakery: Any
) -> None:
    plan(bakery, 2, "3 tries")
    plan(bakery, 10, at=timedelta(0))
    serve(processes, "one")
    until(lambda: done(bakery) == [1] * 12, 30)
    log = processes.log("one")
    assert log.count("failed, due again later") == 4
    assert "the oven is cold" not in log, "a log says what kind of error, and where"


def test_whoever_is_killed_in_the_middle_leaves_it_to_another(processes: Processes, bakery: Any) -> None:
    plan(bakery, 20, "time")
    serve(processes, "one", "two")
    until(lambda: sum(done(bakery)) >= 2)
    processes.kill("one")
    until(lambda: done(bakery) == [1] * 20, 60)


def test_a_stop_lets_what_has_begun_be_finished(processes: Processes, bakery: Any) -> None:
    plan(bakery, 20, "time")
    serve(processes, "one")
    until(lambda: sum(done(bakery)) >= 1)
    processes.end("one")
    assert not [row for row in bakery.loaves.find() if row["done"] == 0 and row.get("taken")]


def test_without_a_broker_it_is_done_and_announced_later(processes: Processes, bakery: Any, amqp_uri: str) -> None:
    with Proxy(amqp_uri) as broker:
        serve(processes, "one", AMQP_URI=broker.uri)
        broker.refusing = True
        broker.cut()
        plan(bakery, 5)
        until(lambda: done(bakery) == [1] * 5)
        assert bakery.loaves.count_documents({"unsent": True}) == 5
        broker.refusing = False
        until(lambda: bakery.loaves.count_documents({"unsent": True}) == 0, 30)


def test_a_days_work_is_done_by_one_of_many_and_not_again_before_a_day(processes: Processes, bakery: Any) -> None:
    serve(processes, "one", "two")
    until(lambda: bakery.days.count_documents({}) == 1)
    (lease,) = until(lambda: list(bakery.leases.find({"due_at": {"$gt": clock.now() + 23 * HOUR}})))
    assert lease["_id"] == "feedback.bakery.count_a_day"
    for name in ("one", "two"):
        processes.end(name)
    serve(processes, "three")
    plan(bakery, 1)
    until(lambda: done(bakery) == [1])
    assert bakery.days.count_documents({}) == 1
    bakery.leases.update_one({"_id": lease["_id"]}, {"$set": {"due_at": clock.now()}})
    until(lambda: bakery.days.count_documents({}) == 2)
