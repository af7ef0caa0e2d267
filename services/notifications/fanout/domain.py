"""What is true of a fan-out to many: a job that can be interrupted after any portion and taken up again, by anybody.

A job is a plain dict; its `_id` is the message's, so that a message delivered twice has one job.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime
from typing import Any

Job = dict[str, Any]


def begin(message_id: str, now: datetime) -> Job:
    """A job that nothing was done of. It is saved with its first step, as version 1."""
    return {"_id": message_id, "cursor": None, "told": 0, "done_at": None, "changed_at": now, "version": 0}


def left(job: Job, ids: list[str], size: int) -> Iterator[tuple[list[str], bool]]:
    """Whom of these, in the order of their ids, the job has still to tell: in portions, and whether it is the last."""
    if job["done_at"] is None:
        done = bisect_right(ids, job["cursor"]) if job["cursor"] is not None else 0
        for start in range(done, len(ids), size):
            yield ids[start : start + size], start + size >= len(ids)


def advance(job: Job, portion: list[str], now: datetime, *, last: bool) -> Job:
    """The job after these members were told; with the last of them it is done."""
    return {
        **job,
        "cursor": portion[-1],
        "told": job["told"] + len(portion),
        "done_at": now if last else None,
        "changed_at": now,
    }


def delivered(notification_id: str, notice: dict[str, str], at: datetime, **to: Any) -> dict[str, Any]:
    """What the message says of a notification that lies in inboxes, `to` whom."""
    told = {"member_ids": [], "everyone": None} | to
    return {"_id": notification_id, "changed_at": at, "notification_id": notification_id, **notice, "at": at, **told}
