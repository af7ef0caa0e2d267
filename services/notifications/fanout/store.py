"""What the fan-out remembers: one document a job, thrown away by the store long after the last redelivery."""

from pymongo import IndexModel

from services.chassis.store import Aggregates
from services.contracts.catalogue import Announcement
from services.notifications.fanout.domain import Job


class JobStore(Aggregates):
    """Jobs by the id of their message."""

    collection = "jobs"
    indexes = (IndexModel([("done_at", 1)], expireAfterSeconds=30 * 86_400),)

    def step(self, job: Job, announcing: Announcement | None = None) -> Job:
        """Save how far a job is. Raises Conflict when somebody else works on it: whoever comes later gives way."""
        return self.save(job, announcing) if job["version"] else self.add(job, announcing)
