"""What is true of the copy: one row a member, as young as the youngest message heard about them."""

from datetime import datetime
from typing import Any

Person = dict[str, Any]


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
