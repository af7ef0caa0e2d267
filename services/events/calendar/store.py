"""The store of the calendar: one document per event."""

from datetime import datetime
from typing import Any

from pymongo import IndexModel

from services.chassis.aggregates import Aggregates
from services.chassis.rows import where
from services.contracts import moments
from services.events.calendar.domain import LONGEST, Event, Search

Position = list[Any]
BEHIND_EVERY_ID = "~"
PUBLIC = ("published", "ended")  # members may read all events of these statuses


class EventStore(Aggregates[Event]):
    """Events, listed by their start."""

    collection = "events"
    indexes = (
        IndexModel([("status", 1), ("starts_at", 1), ("_id", 1)]),
        IndexModel([("starts_at", 1), ("_id", 1)]),
        IndexModel([("host_id", 1), ("starts_at", 1), ("_id", 1)]),
        IndexModel([("host_id", 1), ("status", 1), ("starts_at", 1), ("_id", 1)]),
        IndexModel([("audience.tags", 1), ("status", 1), ("starts_at", 1), ("_id", 1)]),
        IndexModel([("touchpoint", 1), ("status", 1), ("starts_at", 1), ("_id", 1)]),
        IndexModel([("end_due_at", 1)], sparse=True),
    )

    def prepare(self) -> None:
        """Make the indexes. Also add `published_at` and `end_due_at` to events of earlier versions that lack them."""
        super().prepare()
        for status in ("cancelled", "published"):
            earlier = {"status": status, "published_at": {"$exists": False}}
            for event in list(self.rows.find(earlier)):
                known = (deed["at"] for deed in event["history"] if deed["what"] == "published")
                at = event["changed_at"] if status == "published" else next(known, None)
                self.rows.update_one({"_id": event["_id"], **earlier}, {"$set": {"published_at": at}})
        unplanned = {"status": "published", "end_due_at": None}
        for event in self.rows.find(unplanned, {"ends_at": True}):
            self.rows.update_one({"_id": event["_id"], **unplanned}, {"$set": {"end_due_at": event["ends_at"]}})

    def by_start(self, search: Search, *, after: Position | None, limit: int) -> tuple[list[Event], Position | None]:
        """A page of the events that are searched for, by start. `after` is `[start in Unix ms, id]`."""
        if len(search.hosts) > 1:
            return [], None
        low, starts = _beginning(search), where(**{"$lt": search.starts_before})
        if low is not None:
            starts["$gt"] = low
            after = after if after is not None and after >= [moments.to_ms(low), BEHIND_EVERY_ID] else None
        # Where no index has all of it, the embedded store follows an index of the field that is named first.
        bounds = {"host_id": next(iter(search.hosts), None), "audience.tags": search.tag, "starts_at": starts or None}
        query = where(**bounds, status=search.status, touchpoint=search.touchpoint)
        if search.public and search.status not in PUBLIC:
            query["published_at"] = {"$ne": None}
        if search.ends_after is not None:
            query["ends_at"] = {"$gt": search.ends_after}
        return self.timeline(query, by="starts_at", ascending=True, after=after, limit=limit)


def _beginning(search: Search) -> datetime | None:
    """The moment after which the events start: that which is asked for, or the earliest that suits their end."""
    ends = search.ends_after and max(search.ends_after, moments.EPOCH + LONGEST) - LONGEST
    return max((each for each in (search.starts_after, ends) if each is not None), default=None)
