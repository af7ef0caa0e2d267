"""What is true of the copies: each row of a member is as young as the youngest message heard about them.

A member has a row that says who they are, and another that says how they are reached: the two are told apart, and in
any order.
"""

from datetime import datetime
from typing import Any

Person = dict[str, Any]
Reach = dict[str, Any]
NOWHERE = {"email": None, "language": "", "zone": ""}


def person(
    member_id: str,
    name: str,
    roles: list[str],
    tags: list[str],
    joined_at: datetime,
    sequence: int,
    status: str = "active",
) -> Person:
    """A member as this service needs them; `sequence` says how young this is.

    Whoever is suspended or removed is kept without roles and tags, and so is in nobody's audience.
    """
    active = status == "active"
    return {
        "_id": member_id,
        "name": name,
        "roles": sorted(roles) if active else [],
        "tags": sorted(set(tags)) if active else [],
        "joined_at": joined_at,
        "sequence": sequence,
    }


def reach(member_id: str, email: str | None, language: str, zone: str, sequence: int, status: str) -> Reach:
    """How a member is reached; `sequence` says how young this is. Nothing is kept of members who take no part."""
    known = {"email": email, "language": language, "zone": zone} if status == "active" else NOWHERE
    return {"_id": member_id, **known, "sequence": sequence}
