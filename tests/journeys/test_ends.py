"""The clock acts on a running platform: an event ends, and an inbox forgets."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pymongo
import pytest

from services.ground import clock
from services.notifications.inbox import domain
from tests.rig.days import times
from tests.rig.processes import Platform, until

DAY = timedelta(days=1)
NOTICE = {"kind": "events.published", "title": "Long ago", "body": "b", "link": "/v1/events/x", "reason": "r"}


@pytest.fixture
def store(platform: Platform) -> Iterator[Any]:
    """The database of a service, by its name."""
    environment = platform.processes.environment
    with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"], tz_aware=True) as client:
        yield lambda service: client[environment["MONGO_DATABASE_PREFIX"] + service]


def test_an_event_that_is_over_is_listed_as_ended_and_no_more_as_to_come(platform: Platform, store: Any) -> None:
    host, member = platform.join("Noor", ("host",)), platform.join("Amara")
    plan = {"title": "Café morning: how we print", "audience": {"everyone": True}, **times()}
    event = host.post("/v1/events", plan)
    host.post(f"/v1/events/{event['id']}/publish", status=200)

    def listed(status: str) -> list[str]:
        return [each["id"] for each in member.get(f"/v1/events?status={status}&limit=100")["items"]]

    until(lambda: event["id"] in listed("published"))
    now = clock.now()
    over = {"starts_at": now - 2 * DAY, "ends_at": now - DAY, "end_due_at": now - DAY}
    store("events").events.update_one({"_id": event["id"]}, {"$set": over})
    until(lambda: event["id"] in listed("ended"))
    until(lambda: event["id"] not in listed("published"))
    assert member.get(f"/v1/events/{event['id']}")["status"] == "ended"
    host.post(f"/v1/events/{event['id']}/cancel", {"reason": "Too late."}, status=409)


def test_an_inbox_forgets_after_a_year(platform: Platform, store: Any) -> None:
    member, now, hub = platform.join("Amara"), clock.now(), store("notifications")
    before = {days: now - days * DAY for days in (364, 366)}
    hub.inbox.insert_many([domain.line(member.id, f"own {days}", NOTICE, at) for days, at in before.items()])
    everyones = [domain.broadcast(f"all {days}", NOTICE, at, belonging=at, but=None) for days, at in before.items()]
    hub.broadcasts.insert_many(everyones)
    hub.leases.update_many({}, {"$set": {"due_at": now}})
    until(lambda: hub.leases.count_documents({"due_at": {"$gt": now + DAY / 2}}) == 2)
    assert [each["notification"] for each in hub.inbox.find({"member": member.id, "title": "Long ago"})] == ["own 364"]
    assert [each["_id"] for each in hub.broadcasts.find({"title": "Long ago"})] == ["all 364"]
    hub.inbox.delete_many({"title": "Long ago"})
    hub.broadcasts.delete_many({"title": "Long ago"})
