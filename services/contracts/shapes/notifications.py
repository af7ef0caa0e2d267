"""Notifications: the lines of a member's inbox, each with its reason."""

from contextlib import suppress
from datetime import datetime

from marshmallow import fields, validate

from services.contracts import moments
from services.contracts.shapes.parts import Id, Moment, Page, Shape, page_of

MOST_DIGITS = 15  # of Unix milliseconds until the end of the year 9999


class Notification(Shape):
    """One line in a member's inbox."""

    id = Id(required=True, attribute="notification")
    kind = fields.String(
        required=True, metadata={"description": "The message it comes from.", "example": "events.published"}
    )
    title = fields.String(required=True, metadata={"example": "New: Café morning: how we print"})
    body = fields.String(required=True, metadata={"example": "Monday, 1 March 2027, 09:00 UTC, The café, ground floor"})
    link = fields.String(
        required=True, metadata={"description": "The path of the notification's subject.", "example": "/v1/events/…"}
    )
    reason = fields.String(
        required=True,
        metadata={
            "description": "Why the member is told.",
            "example": "Because it is for people who offer or look for 3d printing.",
        },
    )
    at = Moment(required=True)
    read_at = Moment(allow_none=True, required=True)


def event_id(at: datetime, notification_id: str) -> str:
    """The id of a notification in the live stream, `<Unix milliseconds>-<notification id>`. Ids sort by time."""
    return f"{moments.to_ms(at)}-{notification_id}"


def moment_of(event_id: str) -> datetime | None:
    """The moment in an id of the live stream; None if the stream can't have sent this id."""
    milliseconds, dash, _ = event_id.partition("-")
    if dash and milliseconds.isdecimal() and len(milliseconds) <= MOST_DIGITS:
        with suppress(OverflowError):
            return moments.from_ms(int(milliseconds))
    return None


NotificationPage = page_of(Notification)


class NotificationQuery(Page):
    """A query for notifications, listed newest first."""

    unread = fields.Boolean(load_default=False, metadata={"description": "Only unread notifications."})


class MissedNotification(Notification):
    """A line of the inbox, as the live stream sends it to a returning client."""

    event_id = fields.String(required=True)


class Missed(Shape):
    """The notifications since an event of the live stream, oldest first."""

    items = fields.List(fields.Nested(MissedNotification), required=True)


class Unread(Shape):
    """The number of a member's unread notifications."""

    unread = fields.Integer(required=True, validate=validate.Range(min=0))


class Marked(Shape):
    """The number of notifications that were marked as read."""

    marked = fields.Integer(required=True, validate=validate.Range(min=0))
