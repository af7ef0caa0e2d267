"""The store of sessions: one document per session, and one row per window of attempts and per device.

The store deletes old ones.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pymongo import IndexModel, ReturnDocument
from pymongo.errors import DuplicateKeyError, OperationFailure

from services.chassis.aggregates import Aggregates
from services.chassis.rows import RENEWABLE, Document, Rows
from services.members.account import Device
from services.members.sessions.domain import DEVICE_LASTS, Session

MOST_DEVICES = 20  # of a member
BEFORE = "place_1_opened_at_1"  # an index of the previous release
INDEX_NOT_FOUND = 27  # MongoDB's code


class SessionStore(Aggregates[Session]):
    """Sessions by id. Ended sessions are kept until they expire, so that a copied token is still recognised."""

    collection = "sessions"
    keeps = False  # a restored backup would revive sessions that have ended since
    indexes = (
        IndexModel([("member_id", 1), ("ended", 1)]),
        IndexModel([("expires_at", 1)], expireAfterSeconds=86_400),
        IndexModel([("opened_from", 1), ("opened_at", 1)]),
        IndexModel([("ended_at", 1)], sparse=True),
    )

    def prepare(self) -> None:
        """Make the indexes. For one release, also forget the places that the previous release stored.

        That release kept a hash without a key, under another name. Somebody could try all addresses.
        """
        super().prepare()
        self.rows.update_many({"opened_from": None, "place": {"$exists": True}}, {"$unset": {"place": ""}})
        if BEFORE in self.rows.index_information():
            self._drop(BEFORE)

    def opened_at(self, place: str, since: datetime) -> bool:
        """True if a session was opened from this place since then."""
        return self.rows.find_one({"opened_from": place, "opened_at": {"$gte": since}}, {"_id": True}) is not None

    def end(self, id: str, why: str, now: datetime) -> None:
        """End a session, regardless of concurrent changes. `why` is a word such as `signed_out`."""
        self._end({"_id": id, "ended": None}, why, now)

    def end_all(self, member_id: str, why: str, now: datetime) -> None:
        """End every open session of a member."""
        self._end({"member_id": member_id, "ended": None}, why, now)

    def end_others(self, member_id: str, but_session_id: str, why: str, now: datetime) -> None:
        """End every open session of a member except one, such as the caller's."""
        self._end({"member_id": member_id, "ended": None, "_id": {"$ne": but_session_id}}, why, now)

    def ended_since(self, since: datetime, limit: int) -> list[str]:
        """The ids of the sessions that were ended since a moment, youngest first."""
        found = self.rows.find({"ended_at": {"$gte": since}}, {"_id": True})
        return [each["_id"] for each in found.sort("ended_at", -1).limit(limit)]

    def _drop(self, index: str) -> None:
        try:
            self.rows.drop_index(index)
        except OperationFailure as error:
            if error.code != INDEX_NOT_FOUND:
                raise  # else another process was faster

    def _end(self, which: dict[str, Any], why: str, now: datetime) -> None:
        ended = {"ended": why, "ended_at": now, "changed_at": now}
        self.rows.update_many(which, {"$set": ended, "$inc": {"version": 1}})


class AttemptStore(Rows[Document]):
    """Counts of sign-in attempts: `tries` per key (account, place, origin or device), until `ends_at`."""

    collection = "attempts"
    keeps = False  # they are counted for minutes
    indexes = (IndexModel([("ends_at", 1)], expireAfterSeconds=0),)
    write_concern = RENEWABLE

    def count(self, trace: str, now: datetime, ends_at: datetime) -> Document:
        """Count one more try and return its row. `ends_at` is used only if the row is new."""
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
        """Take back the try that was counted in these rows."""
        for row in rows:
            self.rows.update_one({"_id": row["_id"], "ends_at": row["ends_at"]}, {"$inc": {"tries": -1}})

    def forget(self, row: Document) -> None:
        """Forget a row, so that its count begins again."""
        self.rows.delete_one({"_id": row["_id"]})


class DeviceStore(Rows[Device]):
    """Devices on which members signed in, by the hash of their token."""

    collection = "devices"
    keeps = False  # a restored backup would bring back forgotten devices
    indexes = (
        IndexModel([("member_id", 1), ("proven", 1), ("seen_on", 1)]),
        IndexModel([("seen_on", 1)], expireAfterSeconds=int(DEVICE_LASTS.total_seconds())),
    )

    def find(self, token_hash: str) -> Device | None:
        """The device with this token, of any member."""
        return self.rows.find_one({"_id": token_hash})

    def add(self, device: Device) -> None:
        """Keep a new device. If the member has too many, the devices that were used longest ago are deleted.

        Devices whose token was never used again go first. A program that signs in every hour and keeps no token must
        not push out a member's own browser.
        """
        kept = self.rows.find({"member_id": device["member_id"]}, {"_id": True})
        surplus = kept.sort([("proven", -1), ("seen_on", -1)]).skip(MOST_DEVICES - 1).limit(MOST_DEVICES)
        self.rows.delete_many({"_id": {"$in": [each["_id"] for each in surplus]}})
        self.rows.insert_one({**device})

    def see(self, token_hash: str, on: datetime) -> None:
        """Store that a device was used on this day."""
        self.rows.update_one({"_id": token_hash}, {"$set": {"proven": True, "seen_on": on}})

    def forget(self, member_id: str) -> None:
        """Forget all devices of a member."""
        self.rows.delete_many({"member_id": member_id})
