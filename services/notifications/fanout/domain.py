"""What is true of a fan-out: a job that can be interrupted after any chunk and taken up again, by anybody.

A job is a plain dict; its `_id` is the message's, so that a message delivered twice has one job.
"""

from collections.abc import Iterable, Iterator
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


def marked(chunks: Iterable[list[str]]) -> Iterator[tuple[list[str], bool]]:
    """Each chunk, and whether it is the last."""
    coming = iter(chunks)
    chunk = next(coming, None)
    while chunk is not None:
        following = next(coming, None)
        yield chunk, following is None
        chunk = following


def advance(job: Job, chunk: list[str], now: datetime, *, last: bool) -> Job:
    """The job after these members were told; with the last of them it is done."""
    return {
        **job,
        "cursor": chunk[-1],
        "told": job["told"] + len(chunk),
        "done_at": now if last else None,
        "changed_at": now,
    }


def finish(job: Job, now: datetime) -> Job:
    """A job that there was nobody (more) to tell of."""
    return {**job, "done_at": now, "changed_at": now}


def facts(job: Job, chunk: list[str]) -> dict[str, Any]:
    """What the message says that tells of a chunk."""
    return {"notification_id": job["_id"], **job["notice"], "at": job["changed_at"], "member_ids": chunk}
