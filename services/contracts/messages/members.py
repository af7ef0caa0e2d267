"""The messages that members announces: who belongs to the hub and, within the platform only, how to reach them."""

from marshmallow import fields, validate

from services.contracts.catalogue import announce
from services.contracts.shapes.audit import DEED, Deed
from services.contracts.shapes.house import house_fields
from services.contracts.shapes.parts import LANGUAGES, Id, Moment, Shape, roles, tags

STATUSES = ("active", "suspended", "removed")


class MemberState(Shape):
    """All that other services may know of a member. It holds no address and no secret."""

    member_id = Id(required=True)
    name = fields.String(required=True)
    roles = roles(required=True)
    tags_have = tags(required=True)
    tags_want = tags(required=True)
    joined_at = Moment(required=True)
    status = fields.String(
        load_default="active",
        validate=validate.OneOf(STATUSES),
        metadata={"description": "A suspended or removed member takes no part, whatever roles they had."},
    )
    actor_id = Id(required=True, metadata={"description": "The member whose deed this was."})


class MemberReach(Shape):
    """The address, language and time zone for writing to a member."""

    member_id = Id(required=True)
    email = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "null for a member who is suspended or removed: they are written to no more."},
    )
    language = fields.String(
        required=True,
        validate=validate.OneOf(("", *LANGUAGES)),
        metadata={"description": "The language that they chose (BCP 47); empty if the hub's is used."},
    )
    zone = fields.String(
        required=True, metadata={"description": "Their own choice (IANA); empty if the hub's is used."}
    )
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))


HouseState = Shape.from_dict(
    {
        "house_id": Id(required=True, metadata={"description": "Always the same, as there is one hub."}),
        **house_fields(required=True),
    },
    name="HouseState",
)

_AMARA = {
    "member_id": "018f2d6e-5b7c-7a3e-9c41-0f2b6d7e8a90",
    "name": "Amara Okafor",
    "roles": ["coworker"],
    "tags_have": ["bookkeeping"],
    "tags_want": ["3d printing"],
    "joined_at": "2026-11-02T09:00:00.000Z",
    "status": "active",
    "actor_id": "018f2d6e-5b7c-7a3e-9c41-0f2b6d7e8a90",
}

MEMBERS_JOINED = announce(
    "members.joined", by="members", says="A person joined the hub.", body=MemberState, example=_AMARA
)
MEMBERS_CHANGED = announce(
    "members.changed",
    by="members",
    says="A member's name, roles, tags or status changed; this is how they are now.",
    body=MemberState,
    example=_AMARA | {"roles": ["coworker", "mentor"]},
)
MEMBERS_REACH_CHANGED = announce(
    "members.reach_changed",
    by="members",
    says="The way to reach a member became known or changed: their address, language, zone or status.",
    body=MemberReach,
    example={
        "member_id": _AMARA["member_id"],
        "email": "amara@hub.example",
        "language": "en",
        "zone": "Africa/Nairobi",
        "status": "active",
    },
    private=True,
)
MEMBERS_HOUSE_CHANGED = announce(
    "members.house_changed",
    by="members",
    says="The hub itself changed: its name, place, zone, languages, colours or promises; this is how it is now.",
    body=HouseState,
    example={
        "house_id": "00000000-0000-7000-8000-000000000001",
        "name": "Lake Hub",
        "address": "1 Lake Road, Kisumu",
        "zone": "Africa/Nairobi",
        "languages": ["en", "de"],
        "colours": {"background": "#ffffff", "text": "#1c1c1c", "accent": "#0b5c4b"},
        "joining": "invitation",
        "promises": {"days_to_answer": 14, "share_kept": 80},
        "quiet": {"begins": "20:00", "ends": "08:00"},
        "public_pages": False,
    },
)
MEMBERS_NOTED = announce(
    "members.noted",
    by="members",
    says="Somebody did a deed that only some may do; it goes into the audit log.",
    body=Deed,
    example=DEED,
    private=True,
)
