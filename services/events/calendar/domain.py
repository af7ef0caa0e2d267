"""The rules of an event: `draft → published → cancelled | ended`, or `draft → cancelled` without an announcement.

A draft can be changed as a whole. A published event can be corrected until its end, all but its audience.

An event is a plain dict with `_id`, `changed_at`, and a `history` of its last deeds, for reading only: rules
use fields such as `published_at`. `end_due_at` is the end of a published event; it is None before and after.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple, NotRequired, TypedDict, cast

from services.contracts import moments
from services.contracts.errors import Conflict, Forbidden, Hidden, Invalid
from services.contracts.history import deed, remembering
from services.contracts.roles import ADMINISTRATOR, ORGANISERS, Actor

HORIZON = timedelta(days=3653)  # ten years with at most three leap days; a later time is a slip of the hand
LONGEST = timedelta(days=100)  # of an event; lists look so far back for what still runs
MATTERS = ("starts_at", "ends_at", "place", "link", "touchpoint", "title")  # members hear when one of these differs


class Event(TypedDict):
    """An event, as the calendar keeps it."""

    _id: str
    title: str
    description: str
    touchpoint: str
    place: str
    link: str | None
    starts_at: datetime
    ends_at: datetime
    audience: dict[str, Any]
    host_id: str
    status: str
    cancel_reason: str | None
    published_at: NotRequired[datetime | None]  # events of earlier versions lack it
    end_due_at: datetime | None
    changed_at: datetime
    history: list[dict[str, Any]]
    version: NotRequired[int]
    sequence: NotRequired[int]


class Search(NamedTuple):
    """What a list of events is asked for. None means any. The host has all ids of `hosts`.

    `public`: only events that were published at some time.
    """

    status: str | None = "published"
    hosts: tuple[str, ...] = ()
    public: bool = True
    tag: str | None = None
    touchpoint: str | None = None
    starts_after: datetime | None = None
    starts_before: datetime | None = None
    ends_after: datetime | None = None


def draft(plan: Mapping[str, Any], *, by: Actor, id: str, now: datetime) -> Event:
    """A new draft. Its maker is the host. Raises Forbidden, Invalid."""
    _organisers_only(by)
    event: dict[str, Any] = {
        **plan,
        "_id": id,
        "host_id": by.id,
        "status": "draft",
        "cancel_reason": None,
        "published_at": None,
        "end_due_at": None,
        "changed_at": now,
        "history": [deed(now, by.id, "drafted")],
    }
    return _checked(cast(Event, event), now)


def change(event: Event, fields: Mapping[str, Any], *, by: Actor, now: datetime) -> Event:
    """The draft, or the published event, with these fields changed. Raises Forbidden, NotFound, Conflict, Invalid."""
    _may_organise(event, by)
    changed = remembering(cast(Event, {**event, **fields}), now, by.id, "changed")
    if event["status"] == "draft":
        return _checked(changed, now)
    _takes_place(event, now)
    if changed["audience"] != event["audience"]:
        says = "The audience of a published event can't change. Cancel this event, and publish another one."
        raise Conflict("audience_was_told", says)
    planned: Event = {**changed, "published_at": _published_at(event), "end_due_at": changed["ends_at"]}
    return _checked(planned, now, before=event)


def changes(before: Event, after: Event) -> list[dict[str, str | None]]:
    """What reads otherwise in a published event and matters to its members: fields, each with the old and the new."""
    if before["status"] != "published":
        return []
    told = {name: (_as_text(before[name]), _as_text(after[name])) for name in MATTERS}  # type: ignore[literal-required]
    return [{"field": name, "old": old, "new": new} for name, (old, new) in told.items() if old != new]


def publish(event: Event, *, by: Actor, now: datetime) -> Event:
    """The published event. From now on members see it. Raises Forbidden, NotFound, Conflict, Invalid."""
    _may_organise(event, by)
    if event["status"] != "draft":
        raise Conflict("not_a_draft", f"This event is {event['status']}; only a draft can be published.")
    published: Event = {**event, "status": "published", "published_at": now, "end_due_at": event["ends_at"]}
    return _checked(remembering(published, now, by.id, "published"), now)


def cancel(event: Event, reason: str, *, by: Actor, now: datetime) -> Event:
    """The cancelled event. Raises Forbidden, NotFound, Conflict."""
    _may_organise(event, by)
    _takes_place(event, now)
    cancelled: Event = {**_over(event), "status": "cancelled", "cancel_reason": reason}
    return remembering(cancelled, now, by.id, "cancelled")


def end(event: Event, *, now: datetime) -> Event:
    """The ended event. Raises Conflict if it is not published or not over."""
    if event["status"] != "published" or event["ends_at"] > now:
        raise Conflict("not_over", "Only a published event ends, and not before its end.")
    ended: Event = {**_over(event), "status": "ended"}
    return remembering(ended, now, None, "ended")


def _over(event: Event) -> Event:
    """The event without a planned end."""
    return {**event, "published_at": _published_at(event), "end_due_at": None}


def visible(event: Event, *, by: Actor) -> Event:
    """The event, if this member may read it. Raises Hidden.

    Only its host and administrators may read an unpublished event. A host who lost the organiser's role may not.
    """
    hosts = event["host_id"] == by.id and by.has(*ORGANISERS)
    if not was_public(event) and not hosts and not by.has(ADMINISTRATOR):
        raise Hidden.of(event["_id"])
    return event


def search(query: Mapping[str, Any], *, by: Actor) -> Search:
    """The search for what a member asks, of what they may read: what was published, and their own."""
    own = query["mine"] or query["status"] == "draft"
    status = query["status"] or (None if own else "published")
    hosts = {query["host_id"], by.id if own else None} - {None}
    asked = {name: query[name] for name in ("tag", "touchpoint", "starts_after", "starts_before", "ends_after")}
    return Search(status, tuple(hosts), public=not (own and by.has(*ORGANISERS)), **asked)


def was_public(event: Event) -> bool:
    """True if the event was published at some time."""
    return _published_at(event) is not None


def facts(event: Event, *, actor_id: str) -> dict[str, Any]:
    """The facts that a message about an event has besides the event's own fields."""
    return {"event_id": event["_id"], "actor_id": actor_id}


def _published_at(event: Event) -> datetime | None:
    """The moment of publication, or None. Events of earlier versions lack it; publishing was their last change."""
    found: datetime | None = event.get("published_at")
    return event["changed_at"] if found is None and event["status"] == "published" else found


def _organisers_only(by: Actor) -> None:
    if not by.has(*ORGANISERS):
        raise Forbidden("organisers_only", "Only administrators, trainers, mentors and hosts organise events.")


def _may_organise(event: Event, by: Actor) -> None:
    visible(event, by=by)
    if event["host_id"] != by.id and not by.has(ADMINISTRATOR):
        raise Forbidden("not_the_host", "Only its host or an administrator may do this.")
    _organisers_only(by)  # a host who lost the organiser's role may not change the event


def _takes_place(event: Event, now: datetime) -> None:
    if event["status"] == "cancelled":
        raise Conflict(
            "already_cancelled", "This event has been cancelled already. To hold it after all, plan a new one."
        )
    if event["status"] == "ended" or event["ends_at"] <= now:
        raise Conflict("already_over", "This event is over.")


def _checked(event: Event, now: datetime, before: Event | None = None) -> Event:
    """The event, if its times make sense. One that has begun may keep its start, which lies in the past."""
    if event["ends_at"] <= event["starts_at"]:
        raise Invalid.field("ends_at", "Must be after starts_at.")
    moved = before is None or event["starts_at"] != before["starts_at"]
    for name in ("starts_at", "ends_at") if moved else ("ends_at",):
        if event[name] <= now:
            raise Invalid.field(name, "Must be in the future.")
        if event[name] > now + HORIZON:
            raise Invalid.field(name, "Must be within the next ten years.")
    if event["ends_at"] - event["starts_at"] > LONGEST:
        raise Invalid.field("ends_at", f"Must be at most {LONGEST.days} days after starts_at.")
    return event


def _as_text(value: datetime | str | None) -> str | None:
    return moments.to_text(value) if isinstance(value, datetime) else value
