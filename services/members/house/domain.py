"""The rules of the house: the hub itself. There is one. All of it is public.

Until its first change it equals `UNCHANGED`, and its version is 0.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NotRequired, TypedDict, cast

from services.contracts import zones
from services.contracts.errors import Invalid
from services.contracts.history import remembering

ID = "00000000-0000-7000-8000-000000000001"


class House(TypedDict):
    """The hub itself, as it is kept."""

    _id: str
    name: str
    address: str
    zone: str
    languages: list[str]
    colours: dict[str, str]
    joining: str
    promises: dict[str, int]
    quiet: dict[str, str] | None
    public_pages: bool
    changed_at: NotRequired[datetime]
    history: list[dict[str, Any]]
    version: int
    sequence: int


UNCHANGED: House = {
    "_id": ID,
    "version": 0,
    "sequence": 0,
    "name": "Our hub",
    "address": "",
    "zone": "UTC",
    "languages": ["en", "de"],
    "colours": {"background": "#ffffff", "text": "#1c1c1c", "accent": "#0b5c4b"},
    "joining": "invitation",
    "promises": {"days_to_answer": 14, "share_kept": 80},
    "quiet": {"begins": "20:00", "ends": "08:00"},
    "public_pages": False,
    "history": [],
}
READABLE = 4.5  # to 1: the least contrast of text (WCAG 2.2, criterion 1.4.3)
NO_WORDS = ("zone", "languages", "colours", "joining", "promises", "quiet", "public_pages")


def change(house: House, fields: Mapping[str, Any], *, by: str, now: datetime) -> House:
    """The house with these fields changed. Raises Invalid for the field at fault."""
    after = cast(House, {**house, **fields})
    zones.check(after["zone"])
    if len(set(after["languages"])) < len(after["languages"]):
        raise Invalid.field("languages", "Name each language once.")
    if after["quiet"] is not None and after["quiet"]["begins"] == after["quiet"]["ends"]:
        raise Invalid.field("quiet", "Choose an end at another time than the beginning, or null for no quiet hours.")
    for name in ("text", "accent"):
        _check_readable(after["colours"], name)
    return remembering(after, now, by, f"changed: {', '.join(sorted(fields))}")


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, from 1 to 21 (WCAG 2.2)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _check_readable(colours: Mapping[str, str], name: str) -> None:
    found = contrast(colours[name], colours["background"])
    if found < READABLE:
        says = (
            f"Choose a colour that stands out from the background by 4.5:1. This one does by {int(found * 10) / 10}:1."
        )
        raise Invalid.field(f"colours.{name}", says)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
