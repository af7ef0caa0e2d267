"""What is true of the copy: one row a member, as young as the youngest message heard about them."""

from datetime import datetime
from typing import Any

Person = dict[str, Any]


def person(member_id: str, name: str, roles: list[str], tags: list[str], joined_at: datetime, sequence: int) -> Person:
    """A member as this service needs them; `sequence` says how young this is."""
    return {
        "_id": member_id,
        "name": name,
        "roles": sorted(roles),
        "tags": sorted(set(tags)),
        "joined_at": joined_at,
        "sequence": sequence,
    }
