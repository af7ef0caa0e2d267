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


def shows_otherwise(replaced: Person | None, person: Person) -> bool:
    """True if answers may show another name from now on. `replaced` is the row whose place this person's took.

    It is None for a new row, and for a message that was heard before. The latter counts, too: the process may have
    died between the row and its announcement.
    """
    return replaced is None or replaced["name"] != person["name"]
