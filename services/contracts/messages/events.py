"""What events announces: what happens at the hub."""

from marshmallow import fields

from services.contracts.catalogue import announce
from services.contracts.shapes.audit import DEED, Deed
from services.contracts.shapes.events import Audience
from services.contracts.shapes.parts import Id, Moment, Shape


class EventFacts(Shape):
    """What each message about an event says of it."""

    event_id = Id(required=True)
    title = fields.String(required=True)
    touchpoint = fields.String(required=True)
    place = fields.String(required=True)
    link = fields.String(required=True, allow_none=True)
    starts_at = Moment(required=True)
    ends_at = Moment(required=True)
    audience = fields.Nested(Audience, required=True)
    host_id = Id(required=True)


class EventsPublished(EventFacts):
    """An event that members may attend."""

    actor_id = Id(required=True, metadata={"description": "Whose deed this was."})


class EventsCancelled(EventsPublished):
    """An event that was published and does not take place."""

    reason = fields.String(required=True)


class EventsEnded(EventFacts):
    """An event that took place and is over."""


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

EVENTS_PUBLISHED = announce(
    "events.published",
    by="events",
    says="An event was published for an audience.",
    body=EventsPublished,
    example=_CAFE_MORNING,
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
EVENTS_NOTED = announce(
    "events.noted",
    by="events",
    says="Somebody did what only some may do: for the audit log.",
    body=Deed,
    example=DEED | {"operation": "publish_event", "before": {"status": "draft"}, "after": {"status": "published"}},
    private=True,
)
