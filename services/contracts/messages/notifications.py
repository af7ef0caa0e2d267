"""The messages that notifications announces: which notification reached which members."""

from datetime import datetime
from typing import Any

from marshmallow import fields

from services.contracts.catalogue import announce
from services.contracts.shapes.parts import Id, Ids, Moment, Shape


class Everyone(Shape):
    """All members who belonged to the hub at a moment, except one."""

    belonging = Moment(required=True, metadata={"description": "Members who joined later are not meant."})
    but = Id(
        required=True, allow_none=True, metadata={"description": "The member whose deed it was. They are not told."}
    )


class Facts(fields.Dict):
    """Facts by name, as in a message's fields. A moment among them is text."""

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        moment = Moment()
        return {
            name: moment._serialize(fact, attr, obj) if isinstance(fact, datetime) else fact
            for name, fact in value.items()
        }


class NotificationsDelivered(Shape):
    """A notification that lies in the inboxes of these members (at most 1,000 a message), or else of everyone."""

    notification_id = Id(required=True)
    kind = fields.String(required=True, metadata={"description": "The message it comes from."})
    facts = Facts(
        required=True,
        metadata={"description": "The facts of that message that make up its sentence; or `withdrawn`: true."},
    )
    link = fields.String(required=True, metadata={"description": "The path of its subject."})
    about = Id(required=True, metadata={"description": "Its subject: the same for all news of that subject."})
    expires_at = Moment(
        required=True, allow_none=True, metadata={"description": "The moment from which it is not needed."}
    )
    at = Moment(required=True)
    member_ids = Ids(required=True, metadata={"description": "Empty if it is for everyone."})
    everyone = fields.Nested(Everyone, required=True, allow_none=True)


class NotificationsDeliveredInEnglish(Shape):
    """A notification in English words that lies in the inboxes of these members, or else of everyone."""

    notification_id = Id(required=True)
    kind = fields.String(required=True)
    title = fields.String(required=True)
    body = fields.String(required=True)
    link = fields.String(required=True)
    reason = fields.String(required=True)
    at = Moment(required=True)
    member_ids = Ids(required=True, metadata={"description": "Empty if it is for everyone."})
    everyone = fields.Nested(Everyone, required=True, allow_none=True)


_TOLD = {
    "notification_id": "018f2d72-3f00-7d44-9e6a-1b2c3d4e5f60",
    "kind": "events.published",
    "link": "/v1/events/018f2d70-1c3b-7b52-8d0e-3a9f5c6b7d81",
    "at": "2026-11-02T09:00:01.000Z",
    "member_ids": ["018f2d6e-5b7c-7a3e-9c41-0f2b6d7e8a90"],
    "everyone": None,
}
_FACTS = {
    "title": "Café morning: how we print",
    "starts_at": "2027-03-01T09:00:00.000Z",
    "ends_at": "2027-03-01T10:30:00.000Z",
    "place": "The café, ground floor",
    "audience": {"everyone": False, "roles": [], "tags": ["3d printing"]},
}

NOTIFICATIONS_DELIVERED = announce(
    "notifications.delivered",
    by="notifications",
    says="`notifications.delivered.v2` in English words. Deprecated: it is announced beside that for one release.",
    body=NotificationsDeliveredInEnglish,
    example=_TOLD
    | {
        "title": "New: Café morning: how we print",
        "body": "Monday, 1 March 2027, 09:00 UTC, The café, ground floor",
        "reason": "Because it is for people who offer or look for 3d printing.",
    },
)
NOTIFICATIONS_DELIVERED_V2 = announce(
    "notifications.delivered",
    version=2,
    by="notifications",
    says="A notification was put into the inboxes of some members. `sequence` numbers the batches in which they are "
    "told. A batch that is told again has the same members.",
    body=NotificationsDelivered,
    example=_TOLD
    | {
        "facts": _FACTS,
        "about": "018f2d70-1c3b-7b52-8d0e-3a9f5c6b7d81",
        "expires_at": "2027-03-01T10:30:00.000Z",
    },
)
