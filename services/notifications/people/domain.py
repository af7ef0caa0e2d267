"""The rules of the copies: each row of a member is as young as the youngest message heard about it.

A member has a row that says who they are, and another that says how they are reached. The two come by different
messages, in any order.
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
    """A member as this service needs them. A higher `sequence` is younger.

    A suspended or removed member is kept without roles and tags, and so is in no audience by role or tag.
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
    """The address, language and zone of a member, kept only while active. A higher `sequence` is younger."""
    known = {"email": email, "language": language, "zone": zone} if status == "active" else NOWHERE
    return {"_id": member_id, **known, "sequence": sequence}
