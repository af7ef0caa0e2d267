"""The rules of an inbox: it has exactly one line per member and notification.

A line keeps a notice: its kind, facts, link, subject and expiry, but no sentence.
A broadcast is kept once, for everybody. Each reader sees it like any other line.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from heapq import merge
from operator import itemgetter
from typing import NamedTuple, cast

from services.notifications.notice import Notice

# Lines may become visible a little out of order. A returning reader gets this much again, and drops known ids.
OVERLAP = timedelta(seconds=5)
A_CENTURY = 36_500  # days; it counts as for ever, as no moment may be before the year 1

_in_order = itemgetter("at", "_id")
_NOT_SAID = {"belonging", "but"}


class Line(Notice):
    """A line in a member's inbox. A line of earlier versions has a title, a body and a reason instead of facts."""

    _id: str
    member: str
    notification: str
    at: datetime
    read_at: datetime | None


class Broadcast(Notice):
    """A notice to everyone who belonged at a moment, but one."""

    _id: str
    at: datetime
    belonging: datetime
    but: str | None


class Reader(NamedTuple):
    """The member whose inbox is read, and the moment they joined the hub."""

    id: str
    joined_at: datetime


class Marks(NamedTuple):
    """The broadcasts that a member has read, each with the moment. All before `until` count as read, too."""

    read: dict[str, datetime]
    until: datetime | None = None


def line(member_id: str, notification_id: str, notice: Notice, at: datetime) -> Line:
    """The line that tells a member of something."""
    return {
        "_id": line_id(member_id, notification_id),
        "member": member_id,
        "notification": notification_id,
        **notice,
        "at": at,
        "read_at": None,
    }


def line_id(member_id: str, notification_id: str) -> str:
    """The id of a line. It is the same for each delivery of a notification to a member."""
    return f"{member_id}:{notification_id}"


def broadcast(
    notification_id: str, notice: Notice, now: datetime, *, belonging: datetime, but: str | None
) -> Broadcast:
    """The broadcast to all who belonged at a moment, except `but`, whose deed it is."""
    return {"_id": notification_id, **notice, "at": max(now, belonging), "belonging": belonging, "but": but}


def is_for(broadcast: Broadcast, reader: Reader) -> bool:
    """True if the broadcast is for this reader."""
    return bool(reader.joined_at <= broadcast["belonging"] and reader.id != broadcast["but"])


def as_lines(broadcasts: Iterable[Broadcast], member_id: str, marks: Marks) -> list[Line]:
    """Broadcasts as the lines of a member."""
    lines = [
        {name: value for name, value in each.items() if name not in _NOT_SAID}
        | {
            "_id": line_id(member_id, each["_id"]),
            "member": member_id,
            "notification": each["_id"],
            "read_at": marks.read.get(each["_id"]),
        }
        for each in broadcasts
    ]
    return cast(list[Line], lines)


def merged(one: list[Line], other: list[Line], *, ascending: bool) -> list[Line]:
    """The lines of both lists, each sorted by moment, in one sorted list."""
    return list(merge(one, other, key=_in_order, reverse=not ascending))


def kept_since(now: datetime, days: int) -> datetime:
    """The moment before which lines and broadcasts are deleted, if they are kept for so many days."""
    return now - timedelta(days=min(days, A_CENTURY))


def seen_until(last: datetime) -> datetime:
    """The moment from which a reader may lack lines, if their last line is of the moment `last`."""
    return last - OVERLAP
