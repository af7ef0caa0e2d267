"""The rules of a fan-out: the recipients of a notification are decided once, recorded, and stay the same.

Recipients are told in portions. Each portion is recorded before its members are told. If the work is interrupted, or
its message comes again, the recorded members are told, even if the audience has changed. Later news of the subject goes
to the same members.

A job says which portions are done. It is a plain dict. Its `_id` is the notification's, so that a message delivered
twice has one job. A record is a plain dict, too.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple, NotRequired, TypedDict, cast

from services.contracts.texts import short
from services.notifications.notice import Notice

PORTION = 1000  # members told together
KEPT = timedelta(days=400)  # records: an event may be planned a year ahead
SIDE_BY_SIDE = timedelta(hours=1)  # for which a version without records may work beside the first one with records
LONGEST = 400  # characters of a fact


class Job(TypedDict):
    """How far the telling of a notification is."""

    _id: str
    cursor: str | None
    portions: int
    done_at: datetime | None
    changed_at: datetime
    recorded: NotRequired[bool]  # jobs of earlier versions lack it
    version: int
    sequence: NotRequired[int]


class Record(TypedDict):
    """A portion as it was told."""

    _id: str
    subject: str
    kind: str
    notification: str
    message: str
    at: datetime
    nth: int
    ids: list[str]
    last: bool
    but: str | None
    belonging: datetime | None
    folded: datetime | None


class Many(NamedTuple):
    """The role that is told when an hour has many of a kind, and the link of that line."""

    role: str
    link: str


class News(NamedTuple):
    """Something to tell: the notification's `id`, its subject, the message that brought it, and its notice.

    `record` names its records, if the notification's id does not. The words of `withdrawable` news may be withdrawn
    later. `many` is told instead once an hour has had enough.
    """

    id: str
    subject: str
    message_id: str
    notice: Notice
    record: str = ""
    withdrawable: bool = False
    many: Many | None = None


class Portion(NamedTuple):
    """The `nth` portion of the recipients, from 1. Everyone who belonged at a moment is one portion.

    `but` is among them and not told, as members are not told of their own deeds. `folded` is an hour whose many voices
    are told of together instead.
    """

    nth: int
    ids: list[str]
    last: bool
    but: str | None = None
    belonging: datetime | None = None
    folded: datetime | None = None

    @property
    def told(self) -> list[str]:
        """The ids of the members who are told one by one."""
        return [id for id in self.ids if id != self.but]


def notice(kind: str, facts: Mapping[str, Any], link: str, about: str, expires_at: datetime | None = None) -> Notice:
    """The notice of this kind about a subject."""
    return {"kind": kind, "facts": dict(facts), "link": link, "about": about, "expires_at": expires_at}


def facts(names: Iterable[str], heard: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of these names in a message. A text is put into one line, and cut if it is long."""
    return {name: short(heard[name], LONGEST) if isinstance(heard[name], str) else heard[name] for name in names}


def many(news: News, hour: datetime, most: int, id: str) -> tuple[str, News]:
    """The role to tell, and the news that stands for all further lines of this kind in this hour."""
    assert news.many, "only what says whom to tell of many is ever folded"
    told = notice(news.notice["kind"], {"hour": hour, "most": most}, news.many.link, id)
    return news.many.role, News(id, id, news.message_id, told)


def begin(notification_id: str, now: datetime) -> Job:
    """A job without a finished portion. It is saved with its first step, as version 1."""
    return {
        "_id": notification_id,
        "cursor": None,
        "portions": 0,
        "done_at": None,
        "changed_at": now,
        "recorded": True,
        "version": 0,
    }


def taken_up(begun: Job, saved: Job | None) -> Job:
    """The saved job, or else the new one. A job of an older version has no records, so it starts again."""
    if saved is None or saved.get("recorded"):
        return saved or begun
    return {**begun, "version": saved["version"], "sequence": saved["sequence"]}


def following(job: Job, ids: list[str], but: str | None) -> Portion:
    """The portion after the job's finished ones, of these members, ordered by id. The last one may be empty."""
    start = bisect_right(ids, job["cursor"]) if job["cursor"] is not None else 0
    return Portion(job["portions"] + 1, ids[start : start + PORTION], start + PORTION >= len(ids), but)


def nth_beyond(nth: int, told: int, ids: list[str], but: str | None) -> Portion:
    """The `nth` portion, from these members, who follow after `told` portions of other members."""
    start = (nth - told - 1) * PORTION
    return Portion(nth, ids[start : start + PORTION], start + PORTION >= len(ids), but)


def advance(job: Job, portion: Portion, now: datetime) -> Job:
    """The job after this portion and all before it were told. The last portion ends it."""
    return {
        **job,
        "cursor": portion.ids[-1] if portion.ids else job["cursor"],
        "portions": portion.nth,
        "done_at": now if portion.last else None,
        "changed_at": now,
    }


def record(news: News, portion: Portion, now: datetime) -> Record:
    """The record of a portion. Each attempt at the portion has the same id.

    It keeps only the day, as it may be about an anonymous voice. It is deleted KEPT after that day.
    """
    made = {
        "_id": record_id(news.record or news.id, portion.nth),
        "subject": news.subject,
        "kind": news.notice["kind"],
        "notification": news.id,
        "message": news.message_id,
        "at": now.replace(hour=0, minute=0, second=0, microsecond=0),
        **portion._asdict(),
    }
    return cast(Record, made)


def record_id(notification_id: str, nth: int) -> str:
    """The id of a portion's record. Ids sort by the number of the portion."""
    return f"{notification_id}:{nth:06d}"


def raised(subject: str) -> str:
    """The name of the records of a subject's own words, known also to the handler that withdraws them."""
    return f"{subject}:raised"


def is_withdrawn(record: Record) -> bool:
    """True if this stands in the place of a record: the words were withdrawn before anybody was told of them."""
    return "withdrawn" in record


def recorded(record: Record) -> Portion:
    """The portion that a record keeps."""
    return Portion(**{name: cast(dict[str, Any], record)[name] for name in Portion._fields})


def may_have_no_record(subject_at: datetime, began: datetime, now: datetime) -> bool:
    """True if a subject of this moment may have been told of without a record, or with one that is gone by now."""
    return subject_at < max(began, now - KEPT)


def began(now: datetime, *, after_others: bool) -> datetime:
    """The moment from which each telling is recorded: later if an older version may still work (`after_others`)."""
    return now + SIDE_BY_SIDE if after_others else now


def hour(now: datetime) -> tuple[datetime, datetime]:
    """The beginning and the end of the present hour."""
    begins = now.replace(minute=0, second=0, microsecond=0)
    return begins, begins + timedelta(hours=1)


def delivered(news: News, portion: Portion, at: datetime) -> dict[str, Any]:
    """The facts of the message about a notification that lies in the inboxes of a portion."""
    everyone = {"belonging": portion.belonging, "but": portion.but} if portion.belonging else None
    told = {"notification_id": news.id, "at": at, "member_ids": portion.told, "everyone": everyone}
    return {"_id": news.id, "changed_at": at, **news.notice, **told}
