"""The store of voices: one document per voice. Counts of a day and readings by staff are kept for a while."""

from contextlib import suppress
from typing import Any

from pymongo import IndexModel

from services.chassis.aggregates import Aggregates
from services.chassis.rows import Document, where
from services.chassis.tallies import Tallies
from services.contracts.catalogue import Announcement
from services.contracts.errors import Conflict
from services.feedback.voices.domain import Voice

Position = list[Any]


class VoiceStore(Aggregates[Voice]):
    """Voices, listed by the time of raising, youngest first."""

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
        query = where(author_id=author_id, status=status)
        return self.timeline(query, by="raised_at", ascending=False, after=after, limit=limit)

    def by_claim(self, claim_hash: str) -> Voice | None:
        """The anonymous voice with this claim code."""
        return self.first({"claim_hash": claim_hash})


class ReadingStore(Aggregates[Document]):
    """Readings by staff, kept for a week. That is long enough to announce the note stored in each."""

    collection = "readings"
    indexes = (IndexModel([("changed_at", 1)], expireAfterSeconds=7 * 86_400),)

    def once(self, reading: Document, noting: Announcement) -> None:
        """Save a reading and note it, unless it was noted before."""
        with suppress(Conflict):
            self.add(reading, noting=noting)


class TallyStore(Tallies):
    """Counts of voices raised under a name of the day. A count holds no time finer than the day, and no voice."""

    collection = "tallies"
    keeps = False  # with the keys, a backup would tell how many anonymous voices a member raised
