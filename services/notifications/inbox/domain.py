"""What is true of a line in an inbox: exactly one per member and notification.

A line keeps a notice: its kind, the facts, where it leads, what it is about and when it expires; never a sentence.
A broadcast is kept once, for everybody; whoever reads it is shown the line that they would have been given.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from heapq import merge
from operator import itemgetter
from typing import Any, NamedTuple

Line = dict[str, Any]
Broadcast = dict[str, Any]
Notice = dict[str, Any]
# Lines of different notifications become visible in an order a little unlike that of their moments. Whoever comes back
# is given this much again; the ids tell what was seen.
OVERLAP = timedelta(seconds=5)
WITHDRAWN = {"withdrawn": True}  # the facts of a notice whose words were withdrawn
A_CENTURY = 36_500  # days, and for ever: before the year 1 there are no moments

_in_order = itemgetter("at", "_id")
_NOT_SAID = {"belonging", "but"}


class Reader(NamedTuple):
    """Whose inbox it is, and since when they belong to the hub."""

    id: str
    joined_at: datetime


class Marks(NamedTuple):
    """What a member has read of the broadcasts, and when; all those before `until` are among it."""

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
    """The same for each delivery of the same notification to the same member."""
    return f"{member_id}:{notification_id}"


def without_words(notice: Notice) -> Notice:
    """The notice after its words were withdrawn."""
    return notice | {"facts": WITHDRAWN}


def broadcast(
    notification_id: str, notice: Notice, now: datetime, *, belonging: datetime, but: str | None
) -> Broadcast:
    """What is told to everybody who belonged at a moment, but for the one whose deed it is."""
    return {"_id": notification_id, **notice, "at": max(now, belonging), "belonging": belonging, "but": but}


def is_for(broadcast: Broadcast, reader: Reader) -> bool:
    """Whether somebody is meant."""
    return bool(reader.joined_at <= broadcast["belonging"] and reader.id != broadcast["but"])


def as_lines(broadcasts: Iterable[Broadcast], member_id: str, marks: Marks) -> list[Line]:
    """Broadcasts as the lines of a member."""
    return [
        {name: value for name, value in each.items() if name not in _NOT_SAID}
        | {"_id": line_id(member_id, each["_id"]), "notification": each["_id"], "read_at": marks.read.get(each["_id"])}
        for each in broadcasts
    ]


def merged(one: list[Line], other: list[Line], *, ascending: bool) -> list[Line]:
    """The lines of both, which are in the order of their moments, in that order."""
    return list(merge(one, other, key=_in_order, reverse=not ascending))


def kept_since(now: datetime, days: int) -> datetime:
    """The moment before which lines and broadcasts are thrown away, by how many days they are kept."""
    return now - timedelta(days=min(days, A_CENTURY))


def seen_until(last: datetime) -> datetime:
    """From when on a reader may lack lines whose last line was of this moment."""
    return last - OVERLAP
