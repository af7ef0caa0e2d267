"""The store of the calendar: one document per event."""

from datetime import datetime
from typing import Any

from pymongo import IndexModel

from services.chassis.aggregates import Aggregates
from services.contracts import moments
from services.events.calendar.domain import Event

Position = list[Any]
BEHIND_EVERY_ID = "~"


class EventStore(Aggregates[Event]):
    """Events, listed by their start."""

    collection = "events"
    indexes = (
        IndexModel([("status", 1), ("starts_at", 1), ("_id", 1)]),
        IndexModel([("starts_at", 1), ("_id", 1)]),
        IndexModel([("host_id", 1), ("status", 1), ("starts_at", 1), ("_id", 1)]),
        IndexModel([("end_due_at", 1)], sparse=True),
    )

    def prepare(self) -> None:
        """Make the indexes. Also add `published_at` and `end_due_at` to events of earlier versions that lack them."""
        super().prepare()
        earlier = {"status": "cancelled", "published_at": {"$exists": False}}
        for event in list(self.rows.find(earlier, {"history": True})):
            at = next((deed["at"] for deed in event["history"] if deed["what"] == "published"), None)
            self.rows.update_one({"_id": event["_id"], **earlier}, {"$set": {"published_at": at}})
        unplanned = {"status": "published", "end_due_at": None}
        for event in self.rows.find(unplanned, {"ends_at": True}):
            self.rows.update_one({"_id": event["_id"], **unplanned}, {"$set": {"end_due_at": event["ends_at"]}})

    def by_start(
        self,
        *,
        status: str,
        host_id: str | None,
        starts_after: datetime | None,
        after: Position | None,
        limit: int,
    ) -> tuple[list[Event], Position | None]:
        """A page of events with one status (and one host) by start. Drafts that were cancelled are left out.

        `after` is `[start in Unix ms, id]`.
        """
        query: dict[str, Any] = {"status": status}
        if status == "cancelled":
            query["published_at"] = {"$ne": None}
        if host_id is not None:
            query["host_id"] = host_id
        if starts_after is not None:
            after = max(after or [], [moments.to_ms(starts_after), BEHIND_EVERY_ID])
        return self.timeline(query, by="starts_at", ascending=True, after=after, limit=limit)

    def ledger(
        self, *, status: str | None, ends_after: datetime | None, after: Position | None, limit: int
    ) -> tuple[list[Event], Position | None]:
        """A page of all events by start: of one status, or those that are not over at a moment. `after` as above."""
        query: dict[str, Any] = {"status": status} if status is not None else {}
        if ends_after is not None:
            query["ends_at"] = {"$gt": ends_after}
        return self.timeline(query, by="starts_at", ascending=True, after=after, limit=limit)
