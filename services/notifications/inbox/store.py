"""What the inbox remembers: one row a line."""

from datetime import datetime
from typing import Any

from pymongo import IndexModel
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from services.chassis.store import JOURNALED, RENEWABLE, Rows
from services.notifications.deliveries import INBOX
from services.notifications.inbox.domain import Line, line_id

DUPLICATE_KEY = 11000
Position = list[Any]


class InboxStore(Rows):
    """Lines, by member and time; made again from their message if they were lost, so written without a journal."""

    collection = "inbox"
    indexes = (IndexModel([("member", 1), ("at", -1), ("_id", -1)]),)
    write_concern = RENEWABLE

    def put(self, lines: list[Line]) -> None:
        """Add lines; those that are there already stay as they are."""
        try:
            self.rows.insert_many(lines, ordered=False)
            INBOX.inc(len(lines))
        except BulkWriteError as error:
            INBOX.inc(error.details["nInserted"])
            if any(each["code"] != DUPLICATE_KEY for each in error.details["writeErrors"]):
                raise

    def youngest(
        self, member_id: str, *, unread: bool, after: Position | None, limit: int
    ) -> tuple[list[Line], Position | None]:
        """A page of a member's lines, newest first; `after` is `[Unix ms, id]`."""
        query: dict[str, Any] = {"member": member_id, **({"read_at": None} if unread else {})}
        return self.timeline(query, by="at", ascending=False, after=after, limit=limit)

    def since(self, member_id: str, moment: datetime, limit: int) -> list[Line]:
        """A member's lines from a moment on, oldest first."""
        found = self.rows.find({"member": member_id, "at": {"$gt": moment}})
        return list(found.sort([("at", 1), ("_id", 1)]).limit(limit))

    def unread(self, member_id: str) -> int:
        """How many lines a member has not read."""
        return self.rows.count_documents({"member": member_id, "read_at": None})

    def read(self, member_id: str, notification_id: str, now: datetime) -> bool:
        """Mark one line as read, once; whether the member has it."""
        mine = {"_id": line_id(member_id, notification_id)}
        self._kept().update_one({**mine, "read_at": None}, {"$set": {"read_at": now}})
        return self.rows.find_one(mine, {"_id": True}) is not None

    def read_all(self, member_id: str, now: datetime) -> int:
        """Mark what a member has up to now as read; how many lines that were."""
        unread = {"member": member_id, "read_at": None, "at": {"$lte": now}}
        return self._kept().update_many(unread, {"$set": {"read_at": now}}).modified_count

    def _kept(self) -> Collection[Line]:
        return self.rows.with_options(write_concern=JOURNALED)  # what a member did can't be made again
