"""The rules of an offering: `open → closed → open`. A closed offering has a reason.

An offering is a plain dict with `_id`, `changed_at`, and a `history` of deeds.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NotRequired, TypedDict, cast

from services.contracts.errors import Conflict, Forbidden
from services.contracts.history import deed, remembering
from services.contracts.roles import STAFF, Actor


class Offering(TypedDict):
    """An offering, as the catalogue keeps it."""

    _id: str
    name: str
    description: str
    place: str
    how: str
    link: str | None
    audience: dict[str, Any]
    steward_id: str
    status: str
    close_reason: str | None
    changed_at: datetime
    history: list[dict[str, Any]]
    version: NotRequired[int]
    sequence: NotRequired[int]


def add(draft: Mapping[str, Any], *, by: Actor, id: str, now: datetime) -> Offering:
    """A new, open offering. Its maker is its steward. Raises Forbidden."""
    _staff_only(by)
    offering: dict[str, Any] = {
        **draft,
        "_id": id,
        "steward_id": by.id,
        "status": "open",
        "close_reason": None,
        "changed_at": now,
        "history": [deed(now, by.id, "added")],
    }
    return cast(Offering, offering)


def change(offering: Offering, fields: Mapping[str, Any], *, by: Actor, now: datetime) -> Offering:
    """The open offering with other fields. Raises Forbidden, Conflict."""
    _staff_only(by)
    if offering["status"] == "closed":
        raise Conflict("closed", "This offering is closed; reopen it first.")
    return remembering(cast(Offering, {**offering, **fields}), now, by.id, "changed")


def close(offering: Offering, reason: str, *, by: Actor, now: datetime) -> Offering:
    """The closed offering. Raises Forbidden, Conflict."""
    _staff_only(by)
    if offering["status"] == "closed":
        raise Conflict("closed", "This offering is closed already. To offer it again, open a new one.")
    closed: Offering = {**offering, "status": "closed", "close_reason": reason}
    return remembering(closed, now, by.id, "closed")


def reopen(offering: Offering, *, by: Actor, now: datetime) -> Offering:
    """The offering, open again. Raises Forbidden, Conflict."""
    _staff_only(by)
    if offering["status"] == "open":
        raise Conflict("open", "This offering is open already. Nothing is left to do.")
    reopened: Offering = {**offering, "status": "open", "close_reason": None}
    return remembering(reopened, now, by.id, "reopened")


def reads_otherwise(before: Offering, after: Offering, fields: frozenset[str]) -> bool:
    """True if one of these fields differs, so that members read something else."""
    return any(before.get(name) != after.get(name) for name in fields)


def _staff_only(by: Actor) -> None:
    if not by.has(*STAFF):
        raise Forbidden("staff_only", "Only administrators and hosts say what the hub offers.")
