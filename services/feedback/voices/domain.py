"""What is true of a voice: `received → acknowledged → decided → done`, or `declined` with a reason at any step.

A voice is a plain dict with `_id`, `changed_at`, and a `history` of deeds. Of an anonymous one the author is kept
nowhere, and no time of its raising finer than the day.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.contracts.errors import Conflict, Forbidden, Hidden, Invalid

Voice = dict[str, Any]
STAFF = frozenset({"administrator", "host"})
STEPS = ("received", "acknowledged", "decided", "done")
FINAL = frozenset({"done", "declined"})
ANSWERS_AT_MOST = 100


def as_told(draft: Mapping[str, Any], now: datetime) -> datetime:
    """When a voice counts as raised: now, or for an anonymous one the day."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) if draft["anonymous"] else now


def raise_voice(author_id: str, draft: Mapping[str, Any], claim_code: str, *, id: str, at: datetime) -> Voice:
    """A new voice. `at` and `id` come from `as_told`'s moment; the claim code counts for an anonymous one only."""
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
        "history": [_deed(at, None if anonymous else author_id, "raised")],
    }


def answer(voice: Voice, text: str, *, by: str, roles: frozenset[str], now: datetime) -> Voice:
    """The voice with a public answer, which also acknowledges it. Raises Forbidden, NotFound, Conflict."""
    _staff_only(voice, by, roles)
    if len(voice["answers"]) >= ANSWERS_AT_MOST:
        raise Conflict("answered_enough", f"A voice has at most {ANSWERS_AT_MOST} answers.")
    status = "acknowledged" if voice["status"] == "received" else voice["status"]
    answers = [*voice["answers"], {"text": text, "by": by, "at": now}]
    return _after({**voice, "status": status, "answers": answers}, now, by, "answered")


def move(voice: Voice, status: str, reason: str, *, by: str, roles: frozenset[str], now: datetime) -> Voice:
    """The voice, one or more steps further; never back. Raises Forbidden, NotFound, Conflict, Invalid."""
    _staff_only(voice, by, roles)
    if voice["status"] in FINAL:
        raise Conflict("final", f"This voice is {voice['status']}; that is final.")
    if status == "declined" and not reason:
        raise Invalid.field("reason", "Declining needs a reason; the author reads it.")
    if status != "declined" and STEPS.index(status) <= STEPS.index(voice["status"]):
        raise Conflict("not_forward", f"This voice is {voice['status']}; {status} would not be a step forward.")
    return _after({**voice, "status": status, "reason": reason}, now, by, status)


def visible(voice: Voice, *, by: str, roles: frozenset[str]) -> Voice:
    """The voice, if this member may read it: their own, or any for administrators and hosts. Raises Hidden."""
    if voice["author_id"] != by and roles.isdisjoint(STAFF):
        raise Hidden("not_found", f"There is nothing with the id {voice['_id']}.")
    return voice


def sees_all(roles: frozenset[str], mine: bool) -> bool:
    """Whether a list shows everybody's voices rather than the caller's own."""
    return not mine and not roles.isdisjoint(STAFF)


def reading(id: str, now: datetime) -> dict[str, Any]:
    """That somebody read what others said; the note that rides in it says who, and what."""
    return {"_id": id, "changed_at": now}


def digest(claim_code: str) -> str:
    """What is stored of a claim code."""
    return hashlib.sha256(claim_code.encode()).hexdigest()


def _staff_only(voice: Voice, by: str, roles: frozenset[str]) -> None:
    visible(voice, by=by, roles=roles)
    if roles.isdisjoint(STAFF):
        raise Forbidden("staff_only", "Administrators and hosts answer for the hub.")


def _after(voice: Voice, now: datetime, by: str, what: str) -> Voice:
    return {**voice, "changed_at": now, "history": [*voice["history"][-199:], _deed(now, by, what)]}


def _deed(now: datetime, by: str | None, what: str) -> dict[str, Any]:
    return {"at": now, "by": by, "what": what}
