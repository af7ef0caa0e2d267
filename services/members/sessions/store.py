"""What sessions remembers: a document a session, and a row a window of attempts; the store throws old ones away."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pymongo import IndexModel, ReturnDocument
from pymongo.errors import DuplicateKeyError

from services.chassis.store import RENEWABLE, Aggregates, Document, Rows


class SessionStore(Aggregates):
    """Sessions by id; ended ones are kept until they expire, so that a copied token is still recognised."""

    collection = "sessions"
    indexes = (
        IndexModel([("member_id", 1), ("ended", 1)]),
        IndexModel([("expires_at", 1)], expireAfterSeconds=86_400),
        IndexModel([("place", 1), ("opened_at", 1)]),
        IndexModel([("ended_at", 1)], sparse=True),
    )

    def opened_at(self, place: str, since: datetime) -> bool:
        """Whether a session was opened at this place since then."""
        return self.rows.find_one({"place": place, "opened_at": {"$gte": since}}, {"_id": True}) is not None

    def end(self, id: str, why: str, now: datetime) -> None:
        """End a session, whatever happens to it at the same time: `signed_out` or `token_reused`."""
        self._end({"_id": id, "ended": None}, why, now)

    def end_all(self, member_id: str, why: str, now: datetime) -> None:
        """End every open session of a member."""
        self._end({"member_id": member_id, "ended": None}, why, now)

    def end_others(self, member_id: str, but: str, why: str, now: datetime) -> None:
        """End every open session of a member but one."""
        self._end({"member_id": member_id, "ended": None, "_id": {"$ne": but}}, why, now)

    def ended_since(self, since: datetime, limit: int) -> list[str]:
        """The ids of the sessions that were ended since a moment, youngest first."""
        found = self.rows.find({"ended_at": {"$gte": since}}, {"_id": True})
        return [each["_id"] for each in found.sort("ended_at", -1).limit(limit)]

    def _end(self, which: dict[str, Any], why: str, now: datetime) -> None:
        ended = {"ended": why, "ended_at": now, "changed_at": now}
        self.rows.update_many(which, {"$set": ended, "$inc": {"version": 1}})


class AttemptStore(Rows):
    """How often it was tried to open a session: `tries` by what they have in common, each until it `ends_at`."""

    collection = "attempts"
    indexes = (IndexModel([("ends_at", 1)], expireAfterSeconds=0),)
    write_concern = RENEWABLE

    def count(self, trace: str, now: datetime, ends_at: datetime) -> Document:
        """One more try: the row with it. `ends_at` holds for the first of a row."""
        first = {"_id": trace, "tries": 1, "ends_at": ends_at}
        present = {"_id": trace, "ends_at": {"$gt": now}}
        while True:
            try:
                self.rows.insert_one(first)
                return first
            except DuplicateKeyError:
                more = {"$inc": {"tries": 1}}
                found = self.rows.find_one_and_update(present, more, return_document=ReturnDocument.AFTER)
            if found is not None:
                return found
            self.rows.delete_one({"_id": trace, "ends_at": {"$lte": now}})

    def uncount(self, rows: Iterable[Document]) -> None:
        """The try that made these rows was none."""
        for row in rows:
            self.rows.update_one({"_id": row["_id"], "ends_at": row["ends_at"]}, {"$inc": {"tries": -1}})

    def forget(self, row: Document) -> None:
        """Begin to count anew."""
        self.rows.delete_one({"_id": row["_id"]})


class DeviceStore(Rows):
    collection = "devices"

    def forget(self, member_id: str) -> None:
        self.rows.delete_many({"member_id": member_id})
