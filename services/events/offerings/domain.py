"""The rules of an offering: `open → closed → open`. A closed offering has a reason.

An offering is a plain dict with `_id`, `changed_at`, and a `history` of deeds.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.contracts.errors import Conflict, Forbidden
from services.contracts.history import deed, remembering
from services.contracts.roles import STAFF

Offering = dict[str, Any]


def add(draft: Mapping[str, Any], *, by: str, roles: frozenset[str], id: str, now: datetime) -> Offering:
    """A new, open offering. Its maker is its steward. Raises Forbidden."""
    _staff_only(roles)
    return {
        **draft,
        "_id": id,
        "steward_id": by,
        "status": "open",
        "close_reason": None,
        "changed_at": now,
        "history": [deed(now, by, "added")],
    }


def change(offering: Offering, fields: Mapping[str, Any], *, by: str, roles: frozenset[str], now: datetime) -> Offering:
    """The open offering with other fields. Raises Forbidden, Conflict."""
    _staff_only(roles)
    if offering["status"] == "closed":
        raise Conflict("closed", "This offering is closed; reopen it first.")
    return remembering({**offering, **fields}, now, by, "changed")


def close(offering: Offering, reason: str, *, by: str, roles: frozenset[str], now: datetime) -> Offering:
    """The closed offering. Raises Forbidden, Conflict."""
    _staff_only(roles)
    if offering["status"] == "closed":
        raise Conflict("closed", "This offering is closed already.")
    return remembering({**offering, "status": "closed", "close_reason": reason}, now, by, "closed")


def reopen(offering: Offering, *, by: str, roles: frozenset[str], now: datetime) -> Offering:
    """The offering, open again. Raises Forbidden, Conflict."""
    _staff_only(roles)
    if offering["status"] == "open":
        raise Conflict("open", "This offering is open.")
    return remembering({**offering, "status": "open", "close_reason": None}, now, by, "reopened")


def reads_otherwise(before: Offering, after: Offering, fields: frozenset[str]) -> bool:
    """True if one of these fields differs, so that members read something else."""
    return any(before[name] != after[name] for name in fields)


def _staff_only(roles: frozenset[str]) -> None:
    if roles.isdisjoint(STAFF):
        raise Forbidden("staff_only", "Administrators and hosts say what the hub offers.")
