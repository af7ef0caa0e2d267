"""What voices remembers: one document a voice, and for a while how many were raised, and who read those of others."""

from contextlib import suppress
from datetime import datetime
from typing import Any

from pymongo import IndexModel, ReturnDocument
from pymongo.errors import DuplicateKeyError

from services.chassis.store import RENEWABLE, Aggregates, Document, Rows
from services.contracts.catalogue import Announcement
from services.contracts.errors import Conflict
from services.feedback.voices.domain import Voice

Position = list[Any]


class VoiceStore(Aggregates):
    """Voices, listed by when they were raised, youngest first."""

    collection = "voices"
    indexes = (
        IndexModel([("author_id", 1), ("raised_at", -1), ("_id", -1)]),
        IndexModel([("status", 1), ("raised_at", -1), ("_id", -1)]),
        IndexModel([("raised_at", -1), ("_id", -1)]),
        IndexModel([("claim_hash", 1)]),
    )

    def youngest(
        self, *, author_id: str | None, status: str | None, after: Position | None, limit: int
    ) -> tuple[list[Voice], Position | None]:
        """A page of voices of one author or of all; `after` is `[raised in Unix ms, id]`."""
        wanted = {"author_id": author_id, "status": status}
        query = {name: value for name, value in wanted.items() if value is not None}
        return self.timeline(query, by="raised_at", ascending=False, after=after, limit=limit)

    def by_claim(self, claim_hash: str) -> Voice | None:
        """The anonymous voice with this claim code."""
        return self.first({"claim_hash": claim_hash})


class ReadingStore(Aggregates):
    """Readings by staff, kept for a week: long enough for the note that rides in each to be told."""

    collection = "readings"
    indexes = (IndexModel([("changed_at", 1)], expireAfterSeconds=7 * 86_400),)

    def once(self, reading: Document, noting: Announcement) -> None:
        """Save a reading and note it, unless the same was noted before."""
        with suppress(Conflict):
            self.add(reading, noting=noting)


class TallyStore(Rows):
    """How many voices were raised under a name of the day. It knows no moment finer than the day, and no voice."""

    collection = "tallies"
    indexes = (IndexModel([("ends_at", 1)], expireAfterSeconds=3600),)  # a token of the day before lives until then
    write_concern = RENEWABLE

    def count(self, name: str, ends_at: datetime) -> int:
        """One more; how many there are with it."""
        while True:
            more = {"$inc": {"voices": 1}}
            found = self.rows.find_one_and_update({"_id": name}, more, return_document=ReturnDocument.AFTER)
            if found is not None:
                return int(found["voices"])
            with suppress(DuplicateKeyError):  # somebody else began it in the same moment
                self.rows.insert_one({"_id": name, "voices": 1, "ends_at": ends_at})
                return 1

    def uncount(self, name: str) -> None:
        """The last one was none."""
        self.rows.update_one({"_id": name}, {"$inc": {"voices": -1}})

    def of(self, name: str) -> int:
        """How many there are."""
        found = self.rows.find_one({"_id": name})
        return int(found["voices"]) if found else 0
