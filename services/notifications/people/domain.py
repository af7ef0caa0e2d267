"""The rules of the copies: each row of a member is as young as the youngest message heard about it.

A member has a row that says who they are, and another that says how they are reached. The two come by different
messages, in any order.
"""

from datetime import datetime
from typing import TypedDict


class Person(TypedDict):
    """A member, as far as those who tell need to know them."""

    _id: str
    name: str
    roles: list[str]
    tags: list[str]
    joined_at: datetime
    sequence: int


class Reach(TypedDict):
    """How a member is reached."""

    _id: str
    email: str | None
    language: str
    zone: str
    sequence: int


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
    if status != "active":
        return {"_id": member_id, "email": None, "language": "", "zone": "", "sequence": sequence}
    return {"_id": member_id, "email": email, "language": language, "zone": zone, "sequence": sequence}
