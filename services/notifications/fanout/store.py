"""The fan-out's store: how far its jobs are, who was told of what, and how many of a kind an hour brought.

These rows are deleted long after the last redelivery, or when no message can need them any more. Two kinds stay: the
subjects whose words were withdrawn, and the moment since which tellings are recorded.
"""

from collections.abc import Iterator
from datetime import datetime

from pymongo import IndexModel
from pymongo.collection import Collection

from services.chassis.aggregates import Aggregates
from services.chassis.rows import JOURNALED, RENEWABLE, Rows, once
from services.chassis.tallies import Tallies
from services.contracts.errors import NotYet
from services.ground import clock
from services.notifications.fanout import domain
from services.notifications.fanout.domain import Job, News, Portion, Record

DAY = 86_400  # seconds


class JobStore(Aggregates[Job]):
    """Jobs by the id of their notification. They are aggregates for the sake of their version, and announce nothing.

    They are written without a journal: after a lost step a portion is told again, to the same effect.
    """

    collection = "jobs"
    indexes = (IndexModel([("changed_at", 1)], expireAfterSeconds=30 * DAY),)
    write_concern, announces = RENEWABLE, False
    began: datetime

    def prepare(self) -> None:
        """Also note, once and for all processes, the moment from which tellings are recorded.

        This comes before the collection is made: if there is a collection without a note, an older version made it.
        """
        others = self.collection in self.rows.database.list_collection_names()
        mark = {"_id": "records", "began": domain.began(clock.now(), after_others=others)}
        self.began = once(self.documents.with_options(write_concern=JOURNALED), mark)["began"]
        super().prepare()

    def step(self, job: Job) -> Job:
        """Save how far a job is. Raises Conflict when another process works on it; the later one gives way."""
        return self.save(job) if job["version"] else self.add(job)


class ToldStore(Rows[Record]):
    """Records of who was told, one for each portion, found by their subject.

    They are written before the lines, without a journal: the journaled write of the last lines keeps them, too. The
    record of a portion without lines is journaled itself.
    """

    collection = "told"
    indexes = (
        IndexModel([("subject", 1), ("kind", 1), ("_id", 1)]),
        IndexModel([("at", 1)], expireAfterSeconds=int(domain.KEPT.total_seconds())),
    )
    write_concern = RENEWABLE

    def keep(self, news: News, portion: Portion, now: datetime) -> Portion:
        """Record a portion before it is told, once. Returns the recorded one, perhaps that of an earlier attempt."""
        found = self.once(news, portion, now)
        return portion if domain.is_withdrawn(found) else domain.recorded(found)

    def once(self, news: News, portion: Portion, now: datetime) -> Record:
        """Record a portion, once. Returns this record, or the one that an earlier attempt or another message made."""
        made = domain.record(news, portion, now)
        safe = portion.told or portion.folded
        return once(self.rows if safe else self._kept(), made)

    def last(self, subject: str, kind: str) -> Record | None:
        """The record of the last portion so far that was told this kind of thing about a subject."""
        return self.rows.find_one({"subject": subject, "kind": kind}, sort=[("_id", -1)])

    def nth(self, notification_id: str, nth: int) -> Portion:
        """The nth portion that was told. It exists when a later one does. Raises NotYet if it isn't recorded."""
        found = self.rows.find_one({"_id": domain.record_id(notification_id, nth)})
        if found is None:
            raise NotYet("no_record", f"There is no record of portion {nth} of {notification_id}.")
        return domain.recorded(found)

    def reached(self, last: Record, member_id: str) -> bool:
        """True if a member is in the records of a notification, of which this is the last, or if everyone was told."""
        if last["belonging"] is not None:
            return True
        ids = [domain.record_id(last["notification"], nth) for nth in range(1, last["nth"] + 1)]
        return self.rows.find_one({"_id": {"$in": ids}, "ids": member_id}, {"_id": True}) is not None

    def about(self, subject: str) -> Iterator[Record]:
        """All records about a subject, by kind and portion."""
        yield from self.rows.find({"subject": subject}).sort([("kind", 1), ("_id", 1)])

    def withdraw(self, subject: str, now: datetime) -> None:
        """Note that this subject's words are withdrawn, so that they are told no more.

        A second note takes the place of the first record of the subject's own words. A telling that comes to write
        that record finds the note instead.
        """
        for id in (_withdrawn(subject), domain.record_id(domain.raised(subject), 1)):
            once(self.documents.with_options(write_concern=JOURNALED), {"_id": id, "withdrawn": now})

    def is_withdrawn(self, subject: str) -> bool:
        """True if the words of a subject were withdrawn."""
        return self.rows.find_one({"_id": _withdrawn(subject)}, {"_id": True}) is not None

    def _kept(self) -> Collection[Record]:
        return self.rows.with_options(write_concern=JOURNALED)


def _withdrawn(subject: str) -> str:
    return f"{subject}:withdrawn"


class HourStore(Tallies):
    """Counts of what came in an hour, by kind."""

    collection = "hours"
