"""Events, which members attend, and offerings of the hub."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from services.contracts.shapes.parts import (
    TOUCHPOINTS,
    Flag,
    Id,
    Identified,
    Moment,
    Page,
    Shape,
    Tag,
    Text,
    answered,
    name_beside,
    page_of,
    partial,
    roles,
    tags,
)

STATUSES = ("draft", "published", "cancelled", "ended")


class AudienceDraft(Shape):
    """The members who are told: everyone, or those with one of the roles or one of the tags (offered or wanted)."""

    everyone = Flag(load_default=False, metadata={"example": False})
    roles = roles(load_default=list, metadata={"example": ["mentor"]})
    tags = tags(load_default=list, metadata={"example": ["3d printing"]})

    @validates_schema
    def _somebody(self, data: dict[str, Any], **kwargs: object) -> None:
        if data.get("everyone") == bool(data.get("roles") or data.get("tags")):
            raise ValidationError("Name everyone, or else at least one role or tag.")


class Audience(answered(AudienceDraft)):  # type: ignore[misc]
    """The members who are told: everyone, or those with one of the roles or one of the tags (offered or wanted)."""


WEB_ADDRESS = {"format": "uri", "pattern": "^https?://.*$", "example": "https://hub.example/print"}


def _web_address(**kwargs: Any) -> fields.Url:
    size = validate.Length(max=500)
    return fields.Url(schemes={"https", "http"}, validate=size, allow_none=True, metadata=WEB_ADDRESS, **kwargs)


class EventDraft(Shape):
    """An event as its organiser plans it."""

    title = Text(least=4, most=140, required=True, metadata={"example": "Café morning: how we print"})
    description = Text(
        least=0,
        most=4000,
        load_default="",
        metadata={"example": "Bring a part that broke; we print a new one together."},
    )
    touchpoint = fields.String(load_default="workshop", validate=validate.OneOf(TOUCHPOINTS))
    place = Text(least=0, most=200, load_default="", metadata={"example": "The café, ground floor"})
    link = _web_address(load_default=None)
    starts_at = Moment(required=True, metadata={"example": "2027-03-01T09:00:00Z"})
    ends_at = Moment(required=True, metadata={"example": "2027-03-01T10:30:00Z"})
    audience = fields.Nested(AudienceDraft, required=True)


class EventChange(partial(EventDraft)):  # type: ignore[misc]
    """A change of an event: only the fields that change. The audience of a published event can't change."""


class Cancellation(Shape):
    """The reason why an event does not take place. The members who were told of the event read it."""

    reason = Text(least=4, most=400, required=True, metadata={"example": "The trainer is ill; we try again in May."})


class Event(answered(EventDraft), Identified):  # type: ignore[misc]
    """An event as members read it."""

    audience = fields.Nested(Audience, required=True)
    host_id = Id(required=True)
    host_name = name_beside("host_id")
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    cancel_reason = fields.String(allow_none=True, required=True, metadata={"column": "Why cancelled", "example": None})
    version = fields.Integer(required=True, metadata={"description": "Rises by one with every change."})


EventPage = page_of(Event)


class EventQuery(Page):
    """A query for events by start. An event must fit all that is asked for.

    What overlaps a stretch of time ends after its begin and starts before its end. What runs at a moment ends after it
    and starts before it.
    """

    status = fields.String(
        load_default=None,
        validate=validate.OneOf(STATUSES),
        metadata={"description": "Only published events, unless a status or `mine` is given. Drafts are one's own."},
    )
    mine = fields.Boolean(
        load_default=False, metadata={"description": "Only events that I host, of every status, my drafts among them."}
    )
    host_id = Id(load_default=None, metadata={"description": "Only events of this host."})
    tag = Tag(
        load_default=None,
        metadata={"description": "Only events whose audience has this tag.", "example": "3d printing"},
    )
    touchpoint = fields.String(load_default=None, validate=validate.OneOf(TOUCHPOINTS))
    starts_after = Moment(load_default=None, metadata={"description": "Only events that start after this moment."})
    starts_before = Moment(load_default=None, metadata={"description": "Only events that start before this moment."})
    ends_after = Moment(load_default=None, metadata={"description": "Only events that end after this moment."})


class LedgerQuery(Page):
    """Which events an operator wants to see: all by start, drafts of everybody among them, or those of one status."""

    status = fields.String(load_default=None, validate=validate.OneOf(STATUSES))
    ends_after = Moment(load_default=None)


OFFERING_STATUSES = ("open", "closed")


class OfferingDraft(Shape):
    """Something that the hub offers, as its staff describes it."""

    name = Text(least=4, most=140, required=True, metadata={"example": "Meeting room Lantern"})
    description = Text(
        least=0, most=4000, load_default="", metadata={"example": "Eight seats, a screen and a whiteboard."}
    )
    place = Text(least=0, most=200, load_default="", metadata={"example": "First floor"})
    how = Text(
        least=0,
        most=400,
        load_default="",
        metadata={
            "column": "How to get it",
            "description": "How to get it.",
            "example": "Write your name on the sheet at the door.",
        },
    )
    link = _web_address(load_default=None)
    audience = fields.Nested(AudienceDraft, required=True)


class OfferingChange(partial(OfferingDraft)):  # type: ignore[misc]
    """A change of an offering: only the fields that change."""


class Closing(Shape):
    """The reason why an offering is no longer available. Its audience reads it."""

    reason = Text(least=4, most=400, required=True, metadata={"example": "The room becomes the new workshop."})


class Offering(answered(OfferingDraft), Identified):  # type: ignore[misc]
    """Something that the hub offers, as members read it."""

    audience = fields.Nested(Audience, required=True)
    steward_id = Id(required=True, metadata={"description": "The member who looks after it."})
    steward_name = name_beside("steward_id")
    status = fields.String(required=True, validate=validate.OneOf(OFFERING_STATUSES))
    close_reason = fields.String(allow_none=True, required=True, metadata={"column": "Why closed", "example": None})
    version = fields.Integer(required=True, metadata={"description": "Rises by one with every change."})


OfferingPage = page_of(Offering)


class OfferingQuery(Page):
    """A query for offerings, listed in the order in which they were added."""

    status = fields.String(load_default="open", validate=validate.OneOf(OFFERING_STATUSES))
