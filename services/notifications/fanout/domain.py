"""What is true of a fan-out to many: a job that can be interrupted after any portion and taken up again, by anybody.

A job is a plain dict; its `_id` is the message's, so that a message delivered twice has one job.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

Job = dict[str, Any]
PORTION = 1000  # members who are told together


def begin(message_id: str, now: datetime) -> Job:
    """A job that nothing was done of. It is saved with its first step, as version 1."""
    return {"_id": message_id, "cursor": None, "portions": 0, "done_at": None, "changed_at": now, "version": 0}


class Portion(NamedTuple):
    """The `nth` of a job, from 1."""

    nth: int
    ids: list[str]
    last: bool


def left(job: Job, ids: list[str], size: int) -> Iterator[Portion]:
    """Whom of these, in the order of their ids, the job has still to tell: portion by portion."""
    if job["done_at"] is None:
        done = bisect_right(ids, job["cursor"]) if job["cursor"] is not None else 0
        for nth, start in enumerate(range(done, len(ids), size), job["portions"] + 1):
            yield Portion(nth, ids[start : start + size], start + size >= len(ids))


def advance(job: Job, portion: Portion, now: datetime) -> Job:
    """The job after this portion and all before it were told; with the last it is done."""
    return {
        **job,
        "cursor": portion.ids[-1],
        "portions": portion.nth,
        "done_at": now if portion.last else None,
        "changed_at": now,
    }


def delivered(notification_id: str, notice: dict[str, str], at: datetime, **to: Any) -> dict[str, Any]:
    """What the message says of a notification that lies in inboxes, `to` whom."""
    told = {"member_ids": [], "everyone": None} | to
    return {"_id": notification_id, "changed_at": at, "notification_id": notification_id, **notice, "at": at, **told}
