"""A notice: the part that all lines of a notification share. Their sentence is made of its facts when it is read."""

from datetime import datetime
from typing import Any, TypedDict

WITHDRAWN = {"withdrawn": True}  # the facts of a notice whose words were withdrawn


class Notice(TypedDict):
    """A notice, as lines, broadcasts and messages have it."""

    kind: str
    facts: dict[str, Any]
    link: str
    about: str
    expires_at: datetime | None


def without_words(notice: Notice) -> Notice:
    """The notice after its words were withdrawn."""
    return {**notice, "facts": WITHDRAWN}
