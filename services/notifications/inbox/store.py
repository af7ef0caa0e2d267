"""The store of the inbox: a row for each line and each broadcast, and the broadcasts that each member has read."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from pymongo import IndexModel
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from services.chassis.rows import JOURNALED, RENEWABLE, Document, Rows, once, position
from services.contracts import moments
from services.notifications.deliveries import BROADCAST, INBOX
from services.notifications.inbox.domain import (
    OVERLAP,
    Broadcast,
    Line,
    Marks,
    Reader,
    as_lines,
    is_for,
    line,
    line_id,
    merged,
)
from services.notifications.notice import WITHDRAWN, Notice, without_words

DUPLICATE_KEY = 11000
SENTENCES = ("title", "body", "reason")  # of lines that an older version wrote
TO_WHOM = {"belonging": True, "but": True}
Position = list[Any]


class BroadcastStore(Rows[Broadcast]):
    """Broadcasts, by time."""

    collection = "broadcasts"
    indexes = (IndexModel([("at", -1), ("_id", -1)]),)

    def keep(self, broadcast: Broadcast) -> Broadcast:
        """Remember a broadcast, once. Returns the remembered one, perhaps that of an earlier delivery."""
        kept = once(self.rows, broadcast)
        if kept is broadcast:
            BROADCAST.inc()
        return kept

    def to(
        self,
        reader: Reader,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        ascending: bool = False,
        fields: Mapping[str, Any] | None = None,
    ) -> Iterator[Broadcast]:
        """The broadcasts for a reader, by time. Only moments bound the query, as nearly all it finds are for them."""
        bounds = {"$gte": max(reader.joined_at, since or reader.joined_at), **({"$lte": until} if until else {})}
        way = 1 if ascending else -1
        with self.rows.find({"at": bounds}, fields).sort([("at", way), ("_id", way)]) as found:
            yield from (each for each in found if is_for(each, reader))

    def forget(self, before: datetime) -> None:
        """Delete the broadcasts from before a moment."""
        self.rows.delete_many({"at": {"$lt": before}})


class MarkStore(Rows[Document]):
    """The broadcasts that members have read: one document per member."""

    collection = "marks"

    def of(self, member_id: str) -> Marks:
        """The broadcasts that a member has read."""
        found = self.rows.find_one({"_id": member_id}) or {}
        return Marks(found.get("read", {}), found.get("until"))

    def put(self, member_id: str, ids: list[str], now: datetime, until: datetime | None = None) -> None:
        """Mark these as read, once. With `until`, all before that moment count as read, too."""
        marks: dict[str, Any] = {"$min": {f"read.{id}": now for id in ids}} if ids else {}
        if until is not None:
            marks["$max"] = {"until": until}
        self.rows.update_one({"_id": member_id}, marks, upsert=True)

    def forget(self, member_ids: list[str], before: datetime) -> None:
        """Delete the marks from before a moment. A broadcast is older than any mark of it, so it is gone by then."""
        for found in self.rows.find({"_id": {"$in": member_ids}}, {"read": True}):
            old = [id for id, read_at in found.get("read", {}).items() if read_at < before]
            if old:
                self.rows.update_one({"_id": found["_id"]}, {"$unset": {f"read.{id}": "" for id in old}})


class InboxStore(Rows[Line]):
    """Lines, by member and time. Lost ones are made again from their message, so writes need no journal."""

    collection = "inbox"
    indexes = (IndexModel([("member", 1), ("at", -1), ("_id", -1)]),)
    write_concern = RENEWABLE

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.broadcasts, self.marks = BroadcastStore(*args), MarkStore(*args)

    def prepare(self) -> None:
        super().prepare()
        self.broadcasts.prepare()

    def put(self, lines: list[Line], *, journaled: bool = False) -> None:
        """Add lines; those that are there already stay as they are. The last of a message's are `journaled`."""
        try:
            (self._kept() if journaled else self.rows).insert_many(lines, ordered=False)
            INBOX.inc(len(lines))
        except BulkWriteError as error:
            INBOX.inc(error.details["nInserted"])
            others = [each for each in error.details["writeErrors"] if each["code"] != DUPLICATE_KEY]
            if others or error.details["writeConcernErrors"]:
                raise

    def blank(self, member_ids: list[str], notification_id: str, notice: Notice, now: datetime) -> None:
        """Take the words out of a notification, whether or not it lies in these inboxes already.

        An inbox without its line gets one without the words. A telling about to write that line then leaves it so.
        """
        if lines := [line(member_id, notification_id, without_words(notice), now) for member_id in member_ids]:
            self.put(lines)
            self._blank({"_id": {"$in": [each["_id"] for each in lines]}})

    def blank_about(self, member_ids: list[str], notices: Iterable[Notice]) -> None:
        """Take the words out of these members' lines that have the kind and the link of a notice."""
        for each in notices:
            self._blank({"member": {"$in": member_ids}, "link": each["link"], "kind": each["kind"]})

    def _blank(self, those: Mapping[str, Any]) -> None:
        # A line of an older version has its words in a title and a body.
        self._kept().update_many(those, {"$set": {"facts": WITHDRAWN}, "$unset": dict.fromkeys(SENTENCES, "")})

    def forget(self, member_ids: list[str], before: datetime) -> None:
        """Delete the lines and the marks of these members from before a moment."""
        self.rows.delete_many({"member": {"$in": member_ids}, "at": {"$lt": before}})
        self.marks.forget(member_ids, before)

    def youngest(
        self, reader: Reader, *, unread: bool, after: Position | None, limit: int
    ) -> tuple[list[Line], Position | None]:
        """A page of a member's lines, newest first; `after` is `[Unix ms, id]`."""
        mine: dict[str, Any] = {"member": reader.id, **({"read_at": None} if unread else {})}
        own, more = self.timeline(mine, by="at", ascending=False, after=after, limit=limit)
        marks = self.marks.of(reader.id) if unread else None
        since = own[-1]["at"] if more else marks and marks.until  # older ones have no room on the page, or were read
        before = (position(after[0]), after[1].rpartition(":")[2]) if after else None
        told = (
            each
            for each in self.broadcasts.to(reader, since, before and before[0])
            if (before is None or (each["at"], each["_id"]) < before) and not (marks and each["_id"] in marks.read)
        )
        lines = merged(own, self._shown(list(islice(told, limit + 1)), reader, marks), ascending=False)
        if not more and len(lines) <= limit:
            return lines, None
        last = lines[limit - 1]
        return lines[:limit], [moments.to_ms(last["at"]), last["_id"]]

    def since(self, reader: Reader, moment: datetime, limit: int) -> list[Line]:
        """A member's lines from a moment on, oldest first."""
        own = self.rows.find({"member": reader.id, "at": {"$gt": moment}}).sort([("at", 1), ("_id", 1)]).limit(limit)
        told = islice(self.broadcasts.to(reader, moment, ascending=True), limit)
        return merged(list(own), self._shown(list(told), reader), ascending=True)[:limit]

    def unread(self, reader: Reader) -> int:
        """The number of lines that a member has not read."""
        return self.rows.count_documents({"member": reader.id, "read_at": None}) + len(self._unread(reader)[1])

    def read(self, reader: Reader, notification_id: str, now: datetime) -> bool:
        """Mark one line as read, once. Returns True if the member has it."""
        mine = {"_id": line_id(reader.id, notification_id)}
        marked = self._kept().update_one({**mine, "read_at": None}, {"$set": {"read_at": now}}).modified_count
        if marked or self.rows.find_one(mine, {"_id": True}):
            return True
        told = self.broadcasts.rows.find_one({"_id": notification_id})
        if told is None or not is_for(told, reader):
            return False
        self.marks.put(reader.id, [notification_id], now)
        return True

    def read_all(self, reader: Reader, now: datetime) -> int:
        """Mark all lines of a member up to now as read. Returns how many those were."""
        unread = {"member": reader.id, "read_at": None, "at": {"$lte": now}}
        marked = self._kept().update_many(unread, {"$set": {"read_at": now}}).modified_count
        told, not_read = self._unread(reader, now)
        if told:  # even if each was read by itself, so that none of them is looked at again
            self.marks.put(reader.id, not_read, now, until=now - OVERLAP)
        return marked + len(not_read)

    def _unread(self, reader: Reader, up_to: datetime | None = None) -> tuple[list[str], list[str]]:
        """The ids of the broadcasts since a member last marked all as read, and the ids of the unread ones."""
        marks = self.marks.of(reader.id)
        told = [each["_id"] for each in self.broadcasts.to(reader, marks.until, up_to, fields=TO_WHOM)]
        return told, [id for id in told if id not in marks.read]

    def _shown(self, broadcasts: list[Broadcast], reader: Reader, marks: Marks | None = None) -> list[Line]:
        """Broadcasts as the member's lines. Without broadcasts, the read marks are not asked for."""
        return as_lines(broadcasts, reader.id, marks or self.marks.of(reader.id)) if broadcasts else []

    def _kept(self) -> Collection[Line]:
        return self.rows.with_options(write_concern=JOURNALED)  # what a member did can't be made again
