"""What is true of a fan-out: a job that can be interrupted after any chunk and taken up again, by anybody.

A job is a plain dict; its `_id` is the message's, so that a message delivered twice has one job.
"""

from datetime import datetime
from typing import Any

Job = dict[str, Any]


def begin(message_id: str, notice: dict[str, str], now: datetime) -> Job:
    """A job that nothing was done of. It is saved with its first step, as version 1."""
    return {
        "_id": message_id,
        "notice": notice,
        "cursor": None,
        "told": 0,
        "done_at": None,
        "changed_at": now,
        "version": 0,
    }


def advance(job: Job, chunk: list[str], now: datetime) -> Job:
    """The job after these members were told."""
    return {**job, "cursor": chunk[-1], "told": job["told"] + len(chunk), "changed_at": now}


def finish(job: Job, now: datetime) -> Job:
    """The job after everybody was told."""
    return {**job, "done_at": now, "changed_at": now}


def facts(job: Job, chunk: list[str]) -> dict[str, Any]:
    """What the message says that tells of a chunk."""
    return {"notification_id": job["_id"], **job["notice"], "at": job["changed_at"], "member_ids": chunk}
