"""The rules of the copy: a row is as young as the youngest message about its member.

A removed member keeps the name, which stays beside what they said and did.
"""

from typing import TypedDict


class Person(TypedDict):
    """A member's name. A higher `sequence` is younger."""

    _id: str
    name: str
    sequence: int


def person(member_id: str, name: str, sequence: int) -> Person:
    """A member as this service needs them."""
    return {"_id": member_id, "name": name, "sequence": sequence}
