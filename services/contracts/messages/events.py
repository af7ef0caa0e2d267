"""The messages that events announces, about events and offerings of the hub."""

from marshmallow import EXCLUDE, fields

from services.contracts.catalogue import announce
from services.contracts.shapes.audit import DEED, Deed
from services.contracts.shapes.events import Event, Offering
from services.contracts.shapes.parts import Id, Shape, picked


class EventFacts(
    picked(Event, "title", "touchpoint", "place", "link", "starts_at", "ends_at", "audience", "host_id")  # type: ignore[misc]
):
    """What each message about an event says of it."""

    event_id = Id(required=True)


class EventsPublished(EventFacts):
    """An event that members may attend."""

    actor_id = Id(required=True, metadata={"description": "The member whose deed this was."})


class FieldChange(Shape):
    """One field that reads otherwise. Moments are text, as everywhere; a link that there is not is null."""

    field = fields.String(required=True, metadata={"example": "place"})
    old = fields.String(required=True, allow_none=True, metadata={"example": "The café, ground floor"})
    new = fields.String(required=True, allow_none=True, metadata={"example": "The attic"})


class EventsChanged(EventsPublished):
    """A published event as it is now, and what was otherwise before."""

    changes = fields.List(
        fields.Nested(FieldChange, unknown=EXCLUDE),
        required=True,
        metadata={"description": "One or more of `starts_at`, `ends_at`, `place`, `link`, `touchpoint` and `title`."},
    )


class EventsCancelled(EventsPublished):
    """A published event that does not take place."""

    reason = fields.String(required=True)


class EventsEnded(EventFacts):
    """An event that took place and is over."""


class OfferingFacts(
    picked(Offering, "name", "description", "place", "how", "link", "audience", "steward_id")  # type: ignore[misc]
):
    """Something that the hub offers."""

    offering_id = Id(required=True)
    actor_id = Id(required=True, metadata={"description": "Whose deed this was."})


class OfferingClosed(OfferingFacts):
    """Something that the hub offers no more."""

    reason = fields.String(required=True)


class NameLearned(Shape):
    """Whose name is shown otherwise from now on."""

    member_id = Id(required=True)


_CAFE_MORNING = {
    "event_id": "018f2d70-1c3b-7b52-8d0e-3a9f5c6b7d81",
    "title": "Café morning: how we print",
    "touchpoint": "cafe",
    "place": "The café, ground floor",
    "link": None,
    "starts_at": "2027-03-01T09:00:00.000Z",
    "ends_at": "2027-03-01T10:30:00.000Z",
    "audience": {"everyone": False, "roles": ["mentor"], "tags": ["3d printing"]},
    "host_id": "018f2d6e-5b7c-7a3e-9c41-0f2b6d7e8a90",
    "actor_id": "018f2d6e-5b7c-7a3e-9c41-0f2b6d7e8a90",
}

_ROOM = {
    "offering_id": "018f2d74-5e21-7c43-9a6b-2d3e4f5a6b70",
    "name": "Meeting room Lantern",
    "description": "Eight seats, a screen and a whiteboard.",
    "place": "First floor",
    "how": "Write your name on the sheet at the door.",
    "link": None,
    "audience": {"everyone": True, "roles": [], "tags": []},
    "steward_id": "018f2d6c-0d4e-7f21-8a5b-6c7d8e9fa0b1",
    "actor_id": "018f2d6c-0d4e-7f21-8a5b-6c7d8e9fa0b1",
}

EVENTS_PUBLISHED = announce(
    "events.published",
    by="events",
    says="An event was published for an audience.",
    body=EventsPublished,
    example=_CAFE_MORNING,
)
EVENTS_CHANGED = announce(
    "events.changed",
    by="events",
    says="A published event was corrected; this is how it is now, and what was otherwise.",
    body=EventsChanged,
    example=_CAFE_MORNING
    | {
        "place": "The attic",
        "changes": [
            {"field": "starts_at", "old": "2027-03-01T08:00:00.000Z", "new": "2027-03-01T09:00:00.000Z"},
            {"field": "place", "old": "The café, ground floor", "new": "The attic"},
        ],
    },
)
EVENTS_CANCELLED = announce(
    "events.cancelled",
    by="events",
    says="A published event was cancelled.",
    body=EventsCancelled,
    example=_CAFE_MORNING | {"reason": "The trainer is ill; we try again in May."},
)
EVENTS_ENDED = announce(
    "events.ended",
    by="events",
    says="A published event took place; its end has come.",
    body=EventsEnded,
    example={name: value for name, value in _CAFE_MORNING.items() if name != "actor_id"},
)
EVENTS_OFFERING_OPENED = announce(
    "events.offering_opened",
    by="events",
    says="An offering was opened, for the first time or again.",
    body=OfferingFacts,
    example=_ROOM,
)
EVENTS_OFFERING_CHANGED = announce(
    "events.offering_changed",
    by="events",
    says="An offering was changed; this is how it is now.",
    body=OfferingFacts,
    example=_ROOM | {"how": "Ask at the counter for the key."},
)
EVENTS_OFFERING_CLOSED = announce(
    "events.offering_closed",
    by="events",
    says="An offering was closed.",
    body=OfferingClosed,
    example=_ROOM | {"reason": "The room becomes the new workshop."},
)
EVENTS_NOTED = announce(
    "events.noted",
    by="events",
    says="Somebody did a deed that only some may do; it goes into the audit log.",
    body=Deed,
    example=DEED | {"operation": "publish_event", "before": {"status": "draft"}, "after": {"status": "published"}},
    private=True,
)
EVENTS_NAME_LEARNED = announce(
    "events.name_learned",
    by="events",
    says="Events learned a member's name: answers kept elsewhere may lack it, or show another.",
    body=NameLearned,
    example={"member_id": "018f2d6e-5b7c-7a3e-9c41-0f2b6d7e8a90"},
    private=True,
)
