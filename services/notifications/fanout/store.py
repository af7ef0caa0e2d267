"""What the fan-out remembers: how far its jobs are, whom it told of what, and how many of a kind an hour brought.

The store throws it away long after the last redelivery, or when nobody can ask for it any more. What stays is whose
words were withdrawn, and since when there are records.
"""

from collections.abc import Iterator
from datetime import datetime

from pymongo import IndexModel
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from services.chassis.store import JOURNALED, RENEWABLE, Aggregates, Rows
from services.chassis.tallies import Tallies
from services.contracts.errors import NotYet
from services.ground import clock
from services.notifications.fanout import domain
from services.notifications.fanout.domain import Job, News, Portion, Record

DAY = 86_400  # seconds


class JobStore(Aggregates):
    """Jobs by the id of their notification; of what aggregates can do they need the version, and announce nothing.

    Written without a journal: a step that is lost has a portion told again, to the same effect.
    """

    collection = "jobs"
    indexes = (IndexModel([("changed_at", 1)], expireAfterSeconds=30 * DAY),)
    write_concern, announces = RENEWABLE, False
    began: datetime

    def prepare(self) -> None:
        """Also note, once and for all processes, from when on it is recorded who is told.

        This comes before the collection is made: where there is one without a note, an older version made it.
        """
        others = self.collection in self.rows.database.list_collection_names()
        mark = {"began": domain.began(clock.now(), after_others=others)}
        self.began = _once(self.rows.with_options(write_concern=JOURNALED), {"_id": "records", **mark})["began"]
        super().prepare()

    def step(self, job: Job) -> Job:
        """Save how far a job is. Raises Conflict when somebody else works on it: whoever comes later gives way."""
        return self.save(job) if job["version"] else self.add(job)


class ToldStore(Rows):
    """Whom it told: a record a portion, found by what it is about.

    Written without a journal, before the lines: whatever keeps the last lines keeps what was written before them. Where
    a portion has no lines, the record itself is kept so.
    """

    collection = "told"
    indexes = (
        IndexModel([("subject", 1), ("kind", 1), ("_id", 1)]),
        IndexModel([("at", 1)], expireAfterSeconds=int(domain.KEPT.total_seconds())),
    )
    write_concern = RENEWABLE

    def keep(self, news: News, portion: Portion, now: datetime) -> Portion:
        """Record a portion before it is told, once; as it is recorded, perhaps since an earlier attempt."""
        found = self.once(news, portion, now)
        return portion if domain.is_withdrawn(found) else domain.recorded(found)

    def once(self, news: News, portion: Portion, now: datetime) -> Record:
        """The record of a portion: this one, or that of an earlier attempt, or of another message for the same."""
        made = domain.record(news, portion, now)
        safe = portion.told or portion.folded
        return _once(self.rows if safe else self._kept(), made)

    def last(self, subject: str, kind: str) -> Record | None:
        """The record of the last portion, so far, that was told such a thing about a subject."""
        return self.rows.find_one({"subject": subject, "kind": kind}, sort=[("_id", -1)])

    def nth(self, notification_id: str, nth: int) -> Portion:
        """A portion of those who were told, which there is when there is a later one. Raises NotYet."""
        found = self.rows.find_one({"_id": domain.record_id(notification_id, nth)})
        if found is None:
            raise NotYet("no_record", f"There is no record of portion {nth} of {notification_id}.")
        return domain.recorded(found)

    def reached(self, last: Record, member_id: str) -> bool:
        """Whether somebody is in the records of a notification, of which this is the last; or everyone is."""
        if last["belonging"] is not None:
            return True
        ids = [domain.record_id(last["notification"], nth) for nth in range(1, last["nth"] + 1)]
        return self.rows.find_one({"_id": {"$in": ids}, "ids": member_id}, {"_id": True}) is not None

    def about(self, subject: str) -> Iterator[Record]:
        """Everything that was told about a subject."""
        yield from self.rows.find({"subject": subject}).sort([("kind", 1), ("_id", 1)])

    def withdraw(self, subject: str, now: datetime) -> None:
        """From now on nothing is told in the words of this subject.

        Also in the place of the first record of what it said itself: whoever comes to write that finds this instead.
        """
        for id in (_withdrawn(subject), domain.record_id(domain.raised(subject), 1)):
            _once(self._kept(), {"_id": id, "withdrawn": now})

    def is_withdrawn(self, subject: str) -> bool:
        """Whether the words of a subject were withdrawn."""
        return self.rows.find_one({"_id": _withdrawn(subject)}, {"_id": True}) is not None

    def _kept(self) -> Collection[Record]:
        return self.rows.with_options(write_concern=JOURNALED)


def _withdrawn(subject: str) -> str:
    return f"{subject}:withdrawn"


def _once(rows: Collection[Record], row: Record) -> Record:
    """A row as it was written first: now, or by somebody else before."""
    try:
        rows.insert_one(row)
    except DuplicateKeyError:
        return rows.find_one({"_id": row["_id"]}) or row
    return row


class HourStore(Tallies):
    """How many of a kind came in an hour."""

    collection = "hours"
