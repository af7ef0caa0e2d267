"""What notifications announces: what reached whom."""

from marshmallow import fields

from services.contracts.catalogue import announce
from services.contracts.shapes.parts import Id, Ids, Moment, Shape


class Everyone(Shape):
    """Everybody who belonged to the hub at a moment, but for one."""

    belonging = Moment(required=True, metadata={"description": "Who joined later is not meant."})
    but = Id(required=True, allow_none=True, metadata={"description": "Whose deed it was; they are not told."})


class NotificationsDelivered(Shape):
    """A notification that lies in the inboxes of these members (at most 1,000 a message), or else of everyone."""

    notification_id = Id(required=True)
    kind = fields.String(required=True)
    title = fields.String(required=True)
    body = fields.String(required=True)
    link = fields.String(required=True)
    reason = fields.String(required=True)
    at = Moment(required=True)
    member_ids = Ids(required=True, metadata={"description": "Empty where it is for everyone."})
    everyone = fields.Nested(Everyone, required=True, allow_none=True)


NOTIFICATIONS_DELIVERED = announce(
    "notifications.delivered",
    by="notifications",
    says="A notification was put into the inboxes of some members. `sequence` counts the portions in which they are "
    "told; who is in a portion does not change when it is told again.",
    body=NotificationsDelivered,
    example={
        "notification_id": "018f2d72-3f00-7d44-9e6a-1b2c3d4e5f60",
        "kind": "events.published",
        "title": "New: Café morning: how we print",
        "body": "1 March 2027, 09:00 UTC, The café, ground floor",
        "link": "/v1/events/018f2d70-1c3b-7b52-8d0e-3a9f5c6b7d81",
        "reason": "Because it is for people who want or offer 3d printing.",
        "at": "2026-11-02T09:00:01.000Z",
        "member_ids": ["018f2d6e-5b7c-7a3e-9c41-0f2b6d7e8a90"],
        "everyone": None,
    },
)
