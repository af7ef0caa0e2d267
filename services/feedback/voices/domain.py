"""The rules of a voice: `received → acknowledged → decided → done`, or `declined` with a reason before `done`.

Steps may be passed over: what a host did at once goes from `received` to `done`. No step is taken back.

An administrator may take a voice down at any time. Its words are then deleted. The voice itself stays, and so do the
administrator, time and reason of the removal.

A voice is a plain dict with `_id`, `changed_at`, and a `history` of deeds. The author of an anonymous voice is stored
nowhere. Its time of raising is stored as a day only.

A limit per day holds for a member's named and anonymous voices together. Each kind has its own count: named voices by
the member, anonymous voices by the member's alias of the day. With one count for both, a count of six beside five
named voices would reveal who raised the sixth.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil
from typing import Any, NamedTuple, NotRequired, TypedDict

from services.contracts.errors import TOO_MANY_VOICES, Conflict, Forbidden, Hidden, Invalid, TooMany
from services.contracts.history import deed, remembering
from services.contracts.roles import ADMINISTRATOR, STAFF, Actor

STEPS = ("received", "acknowledged", "decided", "done")
TAKEN_DOWN = "taken_down"
FINAL = frozenset({"done", "declined", TAKEN_DOWN})
ANSWERS_AT_MOST = 100
HISTORY_AT_MOST = 200  # deeds


class Voice(TypedDict):
    """A voice, as it is kept."""

    _id: str
    text: str
    kind: str | None
    touchpoint: str
    anonymous: bool
    author_id: str | None
    claim_hash: str | None
    status: str
    reason: str
    answers: list[dict[str, Any]]
    raised_at: datetime
    changed_at: datetime
    history: list[dict[str, Any]]
    version: NotRequired[int]
    sequence: NotRequired[int]


def as_told(draft: Mapping[str, Any], now: datetime) -> datetime:
    """The time of raising to store: now, or for an anonymous voice only the beginning of the day."""
    return day(now) if draft["anonymous"] else now


def day(moment: datetime) -> datetime:
    """The beginning of a moment's day in UTC."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


class Tallies(NamedTuple):
    """The names of two counts of a member's day: `own` for this kind of voice, `other` for the other kind.

    An empty name means that the token has no alias, and nothing is counted under it.
    """

    own: str
    other: str
    ends_at: datetime


def tallies(member_id: str, alias: str, issued: datetime, *, anonymous: bool) -> Tallies:
    """The counts for a voice. The day is the day of the alias: that on which the token was `issued`."""
    named = f"{member_id}/{issued:%Y-%m-%d}"
    own, other = (alias, named) if anonymous else (named, alias)
    return Tallies(own, other, day(issued) + timedelta(days=1))


def too_many(most: int, ends_at: datetime, now: datetime) -> TooMany:
    """The refusal of a voice that exceeds the member's limit for the day."""
    says = f"A member may raise {most} voices a day. Please go on tomorrow; the day ends at midnight UTC."
    return TooMany(TOO_MANY_VOICES, says, after=max(1, ceil((ends_at - now).total_seconds())))


def raise_voice(author_id: str, draft: Mapping[str, Any], claim_code: str, *, id: str, at: datetime) -> Voice:
    """A new voice. `at` and `id` come from the moment of `as_told`. Only an anonymous voice uses the claim code."""
    anonymous = draft["anonymous"]
    return {
        "_id": id,
        "text": draft["text"],
        "kind": draft["kind"],
        "touchpoint": draft["touchpoint"],
        "anonymous": anonymous,
        "author_id": None if anonymous else author_id,
        "claim_hash": digest(claim_code) if anonymous else None,
        "status": "received",
        "reason": "",
        "answers": [],
        "raised_at": at,
        "changed_at": at,
        "history": [deed(at, None if anonymous else author_id, "raised")],
    }


def answer(voice: Voice, text: str, *, by: Actor, now: datetime) -> Voice:
    """The voice with a public answer, which also acknowledges it. Raises Forbidden, NotFound, Conflict."""
    _staff_only(voice, by)
    if voice["status"] == TAKEN_DOWN:
        raise _final(voice)
    if len(voice["answers"]) >= ANSWERS_AT_MOST:
        raise Conflict("answered_enough", f"A voice has at most {ANSWERS_AT_MOST} answers. Move it on instead.")
    status = "acknowledged" if voice["status"] == "received" else voice["status"]
    answers = [*voice["answers"], {"text": text, "by": by.id, "at": now}]
    answered: Voice = {**voice, "status": status, "answers": answers}
    return remembering(answered, now, by.id, "answered", most=HISTORY_AT_MOST)


def move(voice: Voice, status: str, reason: str, *, by: Actor, now: datetime) -> Voice:
    """The voice at a later step; others may be passed over. Raises Forbidden, NotFound, Conflict, Invalid."""
    _staff_only(voice, by)
    if voice["status"] in FINAL:
        raise _final(voice)
    if status == "declined" and not reason:
        raise Invalid.field("reason", "Say why it is declined: the author reads it.")
    if status != "declined" and STEPS.index(status) <= STEPS.index(voice["status"]):
        raise _not_forward(voice)
    moved: Voice = {**voice, "status": status, "reason": reason}
    return remembering(moved, now, by.id, status, most=HISTORY_AT_MOST)


def take_down(voice: Voice, reason: str, *, by: Actor, now: datetime) -> Voice:
    """The voice without its text and the texts of its answers. Raises Forbidden, NotFound, Conflict."""
    visible(voice, by=by)
    if not by.has(ADMINISTRATOR):
        raise Forbidden("administrators_only", "Only administrators take voices down.")
    if voice["status"] == TAKEN_DOWN:
        raise _final(voice)
    answers = [{**each, "text": ""} for each in voice["answers"]]
    bare: Voice = {**voice, "status": TAKEN_DOWN, "reason": reason, "text": "", "answers": answers}
    return remembering(bare, now, by.id, TAKEN_DOWN, why=reason, most=HISTORY_AT_MOST)


def visible(voice: Voice, *, by: Actor) -> Voice:
    """The voice, if this member may read it: their own, or any for administrators and hosts. Raises Hidden."""
    if voice["author_id"] != by.id and not by.has(*STAFF):
        raise Hidden.of(voice["_id"])
    return voice


def sees_all(by: Actor, mine: bool) -> bool:
    """True if a list shows the voices of all members, False if only the caller's own."""
    return not mine and by.has(*STAFF)


def speakers(voice: Voice) -> list[str | None]:
    """The ids of all who speak in a voice: its author (None if anonymous) and those who answered."""
    return [voice["author_id"], *(each["by"] for each in voice["answers"])]


def named(voice: Voice, names: Mapping[str, str]) -> dict[str, Any]:
    """The voice with the names of its author and of those who answered; None for a name that is not known."""
    answers = [{**each, "by_name": names.get(each["by"])} for each in voice["answers"]]
    return {**voice, "author_name": names.get(voice["author_id"] or ""), "answers": answers}


def reading(id: str, now: datetime) -> dict[str, Any]:
    """A record that staff read the voices of others. The note stored with it names the reader and the voice."""
    return {"_id": id, "changed_at": now}


def digest(claim_code: str) -> str:
    """The hash of a claim code. Only this is stored."""
    return hashlib.sha256(claim_code.encode()).hexdigest()


def _staff_only(voice: Voice, by: Actor) -> None:
    visible(voice, by=by)
    if not by.has(*STAFF):
        raise Forbidden("staff_only", "Only administrators and hosts answer for the hub.")


def _not_forward(voice: Voice) -> Conflict:
    later = ", ".join(STEPS[STEPS.index(voice["status"]) + 1 :])
    says = f"This voice is {voice['status']} already. It can become {later} or declined."
    return Conflict("not_forward", says)


def _final(voice: Voice) -> Conflict:
    return Conflict(
        "final", f"This voice is {voice['status'].replace('_', ' ')}. That is final: raise a new voice instead."
    )
