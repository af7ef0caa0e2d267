"""The rules of the copy: its language and zone are for members who choose none."""

from typing import TypedDict

ID = "house"


class House(TypedDict):
    """The hub's language and zone."""

    _id: str
    language: str
    zone: str
    sequence: int


UNTOLD: House = {"_id": ID, "language": "en", "zone": "UTC", "sequence": 0}


def house(zone: str, languages: list[str], sequence: int) -> House:
    """The hub as this service needs it. A higher `sequence` is younger."""
    return {"_id": ID, "language": languages[0], "zone": zone, "sequence": sequence}
