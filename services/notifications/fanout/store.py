"""What the fan-out remembers: one document a job, thrown away by the store long after the last redelivery."""

from pymongo import IndexModel

from services.chassis.store import Aggregates
from services.notifications.fanout.domain import Job


class JobStore(Aggregates):
    """Jobs by the id of their message. They announce nothing, but are read, like what does, before its effect."""

    collection = "jobs"
    indexes = (IndexModel([("changed_at", 1)], expireAfterSeconds=30 * 86_400),)

    def step(self, job: Job) -> Job:
        """Save how far a job is, and with it the lines that it wrote before.

        Raises Conflict when somebody else works on it: whoever comes later gives way.
        """
        return self.save(job) if job["version"] else self.add(job)
