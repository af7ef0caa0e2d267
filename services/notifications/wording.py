"""The sentences that members read. A notice is `{"kind", "title", "body", "link", "reason"}`, all text."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.contracts.messages.events import EVENTS_CANCELLED, EVENTS_PUBLISHED
from services.contracts.messages.feedback import (
    FEEDBACK_ANSWERED,
    FEEDBACK_MOVED,
    FEEDBACK_SUBMITTED,
    FEEDBACK_TAKEN_DOWN,
)

Notice = dict[str, str]

_STEPS = {
    "acknowledged": "The hub has read what you said",
    "decided": "The hub has decided to act on what you said",
    "done": "Done: what you asked for",
    "declined": "The hub will not do what you asked for",
}
_ADMINISTRATORS, _AUTHOR = "Because administrators answer for the hub.", "Because you said it."
_WORDS = {FEEDBACK_SUBMITTED.key: _ADMINISTRATORS, FEEDBACK_ANSWERED.key: _AUTHOR, FEEDBACK_MOVED.key: _AUTHOR}
_WITHDRAWN = {"title": "A voice that was taken down", "body": ""}


def event_published(event_id: str, title: str, starts_at: datetime, place: str, audience: Mapping[str, Any]) -> Notice:
    """An event one may attend."""
    return {
        "kind": EVENTS_PUBLISHED.key,
        "title": f"New: {title}",
        "body": ", ".join(part for part in (_when(starts_at), place) if part),
        "link": f"/v1/events/{event_id}",
        "reason": f"Because it is for {_people(audience)}.",
    }


def event_cancelled(event_id: str, title: str, starts_at: datetime, reason: str, audience: Mapping[str, Any]) -> Notice:
    """An event that does not take place."""
    return {
        "kind": EVENTS_CANCELLED.key,
        "title": f"Cancelled: {title}",
        "body": f"{_when(starts_at)}: {reason}",
        "link": f"/v1/events/{event_id}",
        "reason": f"Because it was for {_people(audience)}.",
    }


def voice_raised(voice_id: str, kind: str | None, touchpoint: str, text: str) -> Notice:
    """A voice that waits for an answer."""
    what = {None: "Somebody says", "praise": "Praise", "problem": "A problem", "idea": "An idea"}.get(
        kind, f"Somebody {kind}s"
    )
    return {
        "kind": FEEDBACK_SUBMITTED.key,
        "title": f"{what} ({touchpoint.replace('_', ' ')}): {_short(text, 80)}",
        "body": _short(text, 400),
        "link": f"/v1/feedback/{voice_id}",
        "reason": _ADMINISTRATORS,
    }


def many_voices(hour: datetime, most: int) -> Notice:
    """More voices in an hour than have lines of their own."""
    return {
        "kind": FEEDBACK_SUBMITTED.key,
        "title": "Many voices came in this hour",
        "body": f"More than {most} since {_when(hour)}. The list of voices has all of them.",
        "link": "/v1/feedback",
        "reason": _ADMINISTRATORS,
    }


def voice_answered(voice_id: str, text: str, answer: str) -> Notice:
    """An answer to one's voice."""
    return {
        "kind": FEEDBACK_ANSWERED.key,
        "title": f"An answer to “{_short(text, 80)}”",
        "body": _short(answer, 400),
        "link": f"/v1/feedback/{voice_id}",
        "reason": _AUTHOR,
    }


def voice_moved(voice_id: str, text: str, status: str, reason: str) -> Notice:
    """A step of one's voice towards its outcome."""
    return {
        "kind": FEEDBACK_MOVED.key,
        "title": f"{_STEPS[status]}: “{_short(text, 80)}”",
        "body": _short(reason, 400),
        "link": f"/v1/feedback/{voice_id}",
        "reason": _AUTHOR,
    }


def voice_taken_down(voice_id: str, reason: str) -> Notice:
    """That one's voice can't be read any more, and why."""
    return {
        "kind": FEEDBACK_TAKEN_DOWN.key,
        "title": "What you said was taken down",
        "body": _short(reason, 400),
        "link": f"/v1/feedback/{voice_id}",
        "reason": _AUTHOR,
    }


def withdrawn(notice: Notice) -> Notice:
    """The notice without the words of a voice, if it had any."""
    return notice | _WITHDRAWN if notice["kind"] in _WORDS else notice


def without_words(voice_id: str) -> dict[str, Notice]:
    """What may still be said of a voice that was taken down, by the kinds of notices that had its words."""
    link = f"/v1/feedback/{voice_id}"
    return {kind: {"kind": kind, "link": link, "reason": reason, **_WITHDRAWN} for kind, reason in _WORDS.items()}


def _when(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def _people(audience: Mapping[str, Any]) -> str:
    if audience["everyone"]:
        return "everyone at the hub"
    having = f"people whose role is {_either(audience['roles'])}" if audience["roles"] else ""
    sharing = f"people who offer or look for {_either(audience['tags'])}" if audience["tags"] else ""
    return " and for ".join(part for part in (having, sharing) if part)


def _either(words: list[str]) -> str:
    plain = [word.replace("_", " ") for word in words]
    return " or ".join([", ".join(plain[:-1]), plain[-1]] if len(plain) > 1 else plain)


def _short(text: str, most: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1].rstrip() + "…"
