"""What the fan-out remembers: one document a job, thrown away by the store long after the last redelivery."""

from pymongo import IndexModel

from services.chassis.store import RENEWABLE, Aggregates
from services.notifications.fanout.domain import Job


class JobStore(Aggregates):
    """Jobs by the id of their message; of what aggregates can do they need the version, and announce nothing.

    Written without a journal: a step that is lost has a portion told again, to the same effect.
    """

    collection = "jobs"
    indexes = (IndexModel([("changed_at", 1)], expireAfterSeconds=30 * 86_400),)
    write_concern, announces = RENEWABLE, False

    def step(self, job: Job) -> Job:
        """Save how far a job is. Raises Conflict when somebody else works on it: whoever comes later gives way."""
        return self.save(job) if job["version"] else self.add(job)
