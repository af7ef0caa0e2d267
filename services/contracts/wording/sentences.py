"""The sentences about each kind of notification, in English. Each is whole, so that translations may reorder it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from services.contracts.messages.events import (
    EVENTS_CANCELLED,
    EVENTS_CHANGED,
    EVENTS_OFFERING_CHANGED,
    EVENTS_OFFERING_CLOSED,
    EVENTS_OFFERING_OPENED,
    EVENTS_PUBLISHED,
)
from services.contracts.messages.feedback import (
    FEEDBACK_ANSWERED,
    FEEDBACK_MOVED,
    FEEDBACK_SUBMITTED,
    FEEDBACK_TAKEN_DOWN,
)
from services.contracts.texts import short
from services.contracts.wording.speech import Speech, counted, sentence, speech

Facts = Mapping[str, Any]
Said = dict[str, str]

QUOTED, LONGEST = 80, 400  # characters of what somebody wrote, in a title and in a body

_ROLES = {
    "coworker": sentence("coworker"),
    "hub_user": sentence("hub user"),
    "mentor": sentence("mentor"),
    "trainer": sentence("trainer"),
    "administrator": sentence("administrator"),
    "host": sentence("host"),
}
_TOUCHPOINTS = {
    "cafe": sentence("café"),
    "kitchenette": sentence("kitchenette"),
    "idea_board": sentence("idea board"),
    "app": sentence("app"),
    "focus_group": sentence("focus group"),
    "brainstorm": sentence("brainstorm"),
    "workshop": sentence("workshop"),
    "online": sentence("online"),
    "other": sentence("elsewhere"),
}
_RAISED = {
    "want": sentence("Somebody wants ({touchpoint}): {text}"),
    "expect": sentence("Somebody expects ({touchpoint}): {text}"),
    "need": sentence("Somebody needs ({touchpoint}): {text}"),
    "praise": sentence("Praise ({touchpoint}): {text}"),
    "problem": sentence("A problem ({touchpoint}): {text}"),
    "idea": sentence("An idea ({touchpoint}): {text}"),
}
_SAYS = sentence("Somebody says ({touchpoint}): {text}")
_MOVED = {
    "acknowledged": sentence("The hub has read what you said: “{text}”"),
    "decided": sentence("The hub has decided to act on what you said: “{text}”"),
    "done": sentence("Done: what you asked for: “{text}”"),
    "declined": sentence("The hub will not do what you asked for: “{text}”"),
}
_WENT_ON = sentence("Something became of what you said: “{text}”")
_ANSWERED = sentence("An answer to “{text}”")
_TAKEN_DOWN = sentence("What you said was taken down")
_WITHDRAWN = sentence("A voice that was taken down")
_MANY = sentence("Many voices came in this hour")
_MORE = counted(
    "More than {number} since {when}. The list of voices has all of them.",
    "More than {number} since {when}. The list of voices has all of them.",
)
_NEW, _WHEN_AND_WHERE = sentence("New: {title}"), sentence("{when}, {place}")
_CANCELLED, _WHEN_AND_WHY = sentence("Cancelled: {title}"), sentence("{when}: {reason}")
_CHANGED, _NEWLY = sentence("Changed: {title}"), sentence("{what}: {new}")
_FIELDS = {
    "starts_at": sentence("Start"),
    "ends_at": sentence("End"),
    "place": sentence("Place"),
    "link": sentence("Web address"),
    "touchpoint": sentence("Kind"),
    "title": sentence("Title"),
}
_OTHERWISE, _NO_MORE = sentence("{what}: {new} (before: {old})"), sentence("{what}: none (before: {old})")
_OFFERED, _OFFERED_OTHERWISE = sentence("New at the hub: {name}"), sentence("Changed: {name}")
_NOT_OFFERED, _WHERE_AND_HOW = sentence("No longer offered: {name}"), sentence("{place}: {how}")

_ADMINISTRATORS = sentence("Because administrators answer for the hub.")
_AUTHOR = sentence("Because you said it.")
# The reasons for telling a member of something that is, or was, for everyone, some roles, some tags, or both of these.
_IS = (
    sentence("Because it is for everyone at the hub."),
    sentence("Because it is for people whose role is {roles}."),
    sentence("Because it is for people who offer or look for {tags}."),
    sentence("Because it is for people whose role is {roles} and for people who offer or look for {tags}."),
)
_WAS = (
    sentence("Because it was for everyone at the hub."),
    sentence("Because it was for people whose role is {roles}."),
    sentence("Because it was for people who offer or look for {tags}."),
    sentence("Because it was for people whose role is {roles} and for people who offer or look for {tags}."),
)
_UNKNOWN = (
    sentence("Something new at the hub"),
    sentence("Open it to see what it is about."),
    sentence("Because you are among those who are told of it."),
)


def said(kind: str, facts: Facts, *, language: str, zone: str, home: str = "") -> Said:
    """The `title`, `body` and `reason` of a notification, for a reader of this language (BCP 47) in this zone (IANA).

    Moments among the facts are datetimes, or RFC 3339 text. `home` is the hub's zone, if it is known: times that agree
    with its clocks need not name their zone.
    """
    using = speech(language, zone, home)
    make = _KINDS.get(kind)
    if make is None:  # a newer version of the platform has more kinds
        title, body, reason = _UNKNOWN
        return {"title": using.say(title), "body": using.say(body), "reason": using.say(reason)}
    return make(using, facts)


def _event_published(using: Speech, facts: Facts) -> Said:
    when, place = using.when(_moment(facts["starts_at"])), facts["place"]
    return {
        "title": using.say(_NEW, title=facts["title"]),
        "body": using.say(_WHEN_AND_WHERE, when=when, place=place) if place else when,
        "reason": _for_whom(using, _IS, facts["audience"]),
    }


def _event_cancelled(using: Speech, facts: Facts) -> Said:
    when = using.when(_moment(facts["starts_at"]))
    return {
        "title": using.say(_CANCELLED, title=facts["title"]),
        "body": using.say(_WHEN_AND_WHY, when=when, reason=short(facts["reason"], LONGEST)),
        "reason": _for_whom(using, _WAS, facts["audience"]),
    }


def _event_changed(using: Speech, facts: Facts) -> Said:
    body = short("; ".join(_changed(using, **each) for each in facts["changes"]), LONGEST)
    reason = _for_whom(using, _IS, facts["audience"])
    return {"title": using.say(_CHANGED, title=facts["title"]), "body": body, "reason": reason}


def _changed(using: Speech, field: str, old: str | None, new: str | None) -> str:
    before, now = (_value(using, field, each) if each else "" for each in (old, new))
    says = _NO_MORE if not now else _OTHERWISE if before else _NEWLY
    return using.say(says, what=_named(using, _FIELDS, field), old=before, new=now)


def _value(using: Speech, field: str, text: str) -> str:
    if field == "touchpoint":
        return _named(using, _TOUCHPOINTS, text)
    return using.when(_moment(text)) if field in ("starts_at", "ends_at") else short(text, QUOTED)


def _offering(title: str) -> Callable[[Speech, Facts], Said]:
    def say(using: Speech, facts: Facts) -> Said:
        place, how = facts["place"], facts["how"]
        return {
            "title": using.say(title, name=short(facts["name"], LONGEST)),
            "body": using.say(_WHERE_AND_HOW, place=place, how=how) if place and how else place or how,
            "reason": _for_whom(using, _IS, facts["audience"]),
        }

    return say


def _offering_closed(using: Speech, facts: Facts) -> Said:
    return {
        "title": using.say(_NOT_OFFERED, name=short(facts["name"], LONGEST)),
        "body": short(facts["reason"], LONGEST),
        "reason": _for_whom(using, _WAS, facts["audience"]),
    }


def _voice_raised(using: Speech, facts: Facts) -> Said:
    if "withdrawn" in facts:
        return _withdrawn(using, _ADMINISTRATORS)
    if "most" in facts:
        body = using.count(_MORE, facts["most"], when=using.when(_moment(facts["hour"])))
        return {"title": using.say(_MANY), "body": body, "reason": using.say(_ADMINISTRATORS)}
    touchpoint = _named(using, _TOUCHPOINTS, facts["touchpoint"])
    says = _RAISED.get(facts["kind"], _SAYS)
    return {
        "title": using.say(says, touchpoint=touchpoint, text=short(facts["text"], QUOTED)),
        "body": short(facts["text"], LONGEST),
        "reason": using.say(_ADMINISTRATORS),
    }


def _voice_answered(using: Speech, facts: Facts) -> Said:
    if "withdrawn" in facts:
        return _withdrawn(using, _AUTHOR)
    return _to_author(using, using.say(_ANSWERED, text=short(facts["text"], QUOTED)), facts["answer"])


def _voice_moved(using: Speech, facts: Facts) -> Said:
    if "withdrawn" in facts:
        return _withdrawn(using, _AUTHOR)
    title = _MOVED.get(facts["status"], _WENT_ON)
    return _to_author(using, using.say(title, text=short(facts["text"], QUOTED)), facts["reason"])


def _voice_taken_down(using: Speech, facts: Facts) -> Said:
    return _to_author(using, using.say(_TAKEN_DOWN), facts["reason"])


_KINDS: dict[str, Callable[[Speech, Facts], Said]] = {
    EVENTS_PUBLISHED.key: _event_published,
    EVENTS_CHANGED.key: _event_changed,
    EVENTS_CANCELLED.key: _event_cancelled,
    EVENTS_OFFERING_OPENED.key: _offering(_OFFERED),
    EVENTS_OFFERING_CHANGED.key: _offering(_OFFERED_OTHERWISE),
    EVENTS_OFFERING_CLOSED.key: _offering_closed,
    FEEDBACK_SUBMITTED.key: _voice_raised,
    FEEDBACK_ANSWERED.key: _voice_answered,
    FEEDBACK_MOVED.key: _voice_moved,
    FEEDBACK_TAKEN_DOWN.key: _voice_taken_down,
}
KINDS = tuple(_KINDS)


def _to_author(using: Speech, title: str, body: str) -> Said:
    return {"title": title, "body": short(body, LONGEST), "reason": using.say(_AUTHOR)}


def _withdrawn(using: Speech, reason: str) -> Said:
    return {"title": using.say(_WITHDRAWN), "body": "", "reason": using.say(reason)}


def _for_whom(using: Speech, reasons: tuple[str, str, str, str], audience: Mapping[str, Any]) -> str:
    everyone, to_roles, to_tags, to_both = reasons
    if audience["everyone"]:
        return using.say(everyone)
    roles, tags = audience["roles"], audience["tags"]
    says = to_both if roles and tags else to_roles if roles else to_tags
    named = tuple(_named(using, _ROLES, role) for role in roles)
    return using.say(says, roles=using.either(named), tags=using.either(tuple(tags)))


def _named(using: Speech, names: Mapping[str, str], word: str) -> str:
    """The name that people read for a word of the platform; the word itself, if only a newer version knows it."""
    return using.say(names[word]) if word in names else word.replace("_", " ")


def _moment(given: datetime | str) -> datetime:
    return datetime.fromisoformat(given) if isinstance(given, str) else given
