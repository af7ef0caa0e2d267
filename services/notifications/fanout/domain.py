"""What is true of a fan-out: who is told of something is decided once, written down, and counts from then on.

Whoever is meant is told in portions. Each is recorded before anybody of it is told; if the work is interrupted, or its
message comes again, those are told who are in the record, whoever would be meant by now. What becomes of the subject
later is told to the same.

A job says which portions are done. It is a plain dict; its `_id` is the notification's, so that a message delivered
twice has one job. A record is a plain dict, too.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

Job = dict[str, Any]
Record = dict[str, Any]
Notice = dict[str, Any]
PORTION = 1000  # members who are told together
KEPT = timedelta(days=400)  # records: an event may be planned a year ahead
SIDE_BY_SIDE = timedelta(hours=1)  # that a version without records may go on working after one with records began
LONGEST = 400  # characters of a fact


class Many(NamedTuple):
    """Who is told that there are many of a kind in an hour, by their role, and where the line leads."""

    role: str
    link: str


class News(NamedTuple):
    """Something to tell: the notification's `id`, what it is about, by which message it came, and its notice.

    `record` names its records, where the notification's id does not. What is `withdrawable` may lose its words later.
    `many` is told instead of it once an hour has had enough.
    """

    id: str
    subject: str
    message_id: str
    notice: Notice
    record: str = ""
    withdrawable: bool = False
    many: Many | None = None


class Portion(NamedTuple):
    """The `nth` of those who are meant, from 1; or everyone who belonged at a moment, which is one portion.

    `but` is among them and not told: nobody is told of their own deed. `folded` is the hour whose many voices are told
    of together instead.
    """

    nth: int
    ids: list[str]
    last: bool
    but: str | None = None
    belonging: datetime | None = None
    folded: datetime | None = None

    @property
    def told(self) -> list[str]:
        """Those who are told, one by one."""
        return [id for id in self.ids if id != self.but]


def notice(kind: str, facts: Mapping[str, Any], link: str, about: str, expires_at: datetime | None = None) -> Notice:
    """What each line of a notification keeps. Its sentence is made of the facts when it is read."""
    return {"kind": kind, "facts": dict(facts), "link": link, "about": about, "expires_at": expires_at}


def facts(names: Iterable[str], heard: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of these names in a message; a long text is cut, and stands in one line."""
    return {name: _short(heard[name]) if isinstance(heard[name], str) else heard[name] for name in names}


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST else flat[: LONGEST - 1].rstrip() + "…"


def many(news: News, hour: datetime, most: int, id: str) -> tuple[str, News]:
    """What is told instead of more lines of this kind in this hour, and to which role."""
    assert news.many, "only what says whom to tell of many is ever folded"
    told = notice(news.notice["kind"], {"hour": hour, "most": most}, news.many.link, id)
    return news.many.role, News(id, id, news.message_id, told)


def begin(notification_id: str, now: datetime) -> Job:
    """A job that nothing was done of. It is saved with its first step, as version 1."""
    job = {"_id": notification_id, "cursor": None, "portions": 0, "done_at": None, "changed_at": now, "version": 0}
    return job | {"recorded": True}


def taken_up(begun: Job, saved: Job | None) -> Job:
    """The job as it was saved, if it was. One of an older version has no records: it is done again from the first."""
    if saved is None or saved.get("recorded"):
        return saved or begun
    return {**begun, "version": saved["version"], "sequence": saved["sequence"]}


def following(job: Job, ids: list[str], but: str | None) -> Portion:
    """The portion after those that are done, of these members in the order of their ids; perhaps an empty last one."""
    start = bisect_right(ids, job["cursor"]) if job["cursor"] is not None else 0
    return Portion(job["portions"] + 1, ids[start : start + PORTION], start + PORTION >= len(ids), but)


def nth_beyond(nth: int, told: int, ids: list[str], but: str | None) -> Portion:
    """The `nth` portion, of these members, who come after the `told` portions of somebody else."""
    start = (nth - told - 1) * PORTION
    return Portion(nth, ids[start : start + PORTION], start + PORTION >= len(ids), but)


def advance(job: Job, portion: Portion, now: datetime) -> Job:
    """The job after this portion and all before it were told; with the last it is done."""
    return {
        **job,
        "cursor": portion.ids[-1] if portion.ids else job["cursor"],
        "portions": portion.nth,
        "done_at": now if portion.last else None,
        "changed_at": now,
    }


def record(news: News, portion: Portion, now: datetime) -> Record:
    """What is kept of a portion; the same id for each attempt at it.

    It tells the day only, after which it is thrown away: it may be of an anonymous voice.
    """
    return {
        "_id": record_id(news.record or news.id, portion.nth),
        "subject": news.subject,
        "kind": news.notice["kind"],
        "notification": news.id,
        "message": news.message_id,
        "at": now.replace(hour=0, minute=0, second=0, microsecond=0),
        **portion._asdict(),
    }


def record_id(notification_id: str, nth: int) -> str:
    """Sorts by the number of the portion."""
    return f"{notification_id}:{nth:06d}"


def raised(subject: str) -> str:
    """The name of the records of what a subject said itself: whoever withdraws its words knows it, too."""
    return f"{subject}:raised"


def is_withdrawn(record: Record) -> bool:
    """Whether this stands in the place of a record: the words were withdrawn before anybody was told of them."""
    return "withdrawn" in record


def recorded(record: Record) -> Portion:
    """The portion that a record keeps."""
    return Portion(**{name: record[name] for name in Portion._fields})


def may_have_no_record(subject_at: datetime, began: datetime, now: datetime) -> bool:
    """Whether what became known then may have been told without a record, or its record be gone by now."""
    return subject_at < max(began, now - KEPT)


def began(now: datetime, *, after_others: bool) -> datetime:
    """From when on each telling is recorded. `after_others`: an older version has worked here, and may for a while."""
    return now + SIDE_BY_SIDE if after_others else now


def hour(now: datetime) -> tuple[datetime, datetime]:
    """The beginning of an hour, and its end."""
    begins = now.replace(minute=0, second=0, microsecond=0)
    return begins, begins + timedelta(hours=1)


def delivered(news: News, portion: Portion, at: datetime) -> dict[str, Any]:
    """What the message says of a notification that lies in the inboxes of a portion."""
    everyone = {"belonging": portion.belonging, "but": portion.but} if portion.belonging else None
    told = {"notification_id": news.id, "at": at, "member_ids": portion.told, "everyone": everyone}
    return {"_id": news.id, "changed_at": at, **news.notice, **told}
