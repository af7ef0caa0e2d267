"""The audit log: denials, and the deeds that only some may do, each with its member."""

from typing import Any

from marshmallow import fields, validate

from services.contracts.shapes.parts import Id, Moment, Page, Shape, name_beside, own_id, page_of

OUTCOMES = ("done", "denied", "unknown")


def _facts(**kwargs: Any) -> fields.Dict:
    return fields.Dict(keys=fields.String(), allow_none=True, required=True, **kwargs)


class Deed(Shape):
    """A deed that only some may do, as the owning service saved it. It holds no address and no words."""

    operation = fields.String(required=True, metadata={"description": "The `operationId`."})
    subject_id = Id(required=True, allow_none=True, metadata={"description": "The subject of the deed."})
    actor_id = Id(required=True, allow_none=True, metadata={"description": "The member; null on the machine itself."})
    network = fields.String(
        required=True, allow_none=True, metadata={"description": "The caller's network, to /24 (IPv4) or /48 (IPv6)."}
    )
    before = _facts(metadata={"description": "The facts before; null for a new thing."})
    after = _facts(metadata={"description": "The facts after; null if it was only read."})


DEED = {
    "operation": "set_member_roles",
    "subject_id": "018f2d6e-5b7c-7a3e-9c41-0f2b6d7e8a90",
    "actor_id": "018f2d6c-0d4e-7f21-8a5b-6c7d8e9fa0b1",
    "network": "203.0.113.0/24",
    "before": {"roles": ["coworker"]},
    "after": {"roles": ["coworker", "mentor"]},
}


class AuditEntry(Shape):
    """One deed, as the service that owns its subject saved it, or a denial, as the gateway saw it.

    `outcome` is `unknown` for a deed whose answer was a fault of ours: if it took effect, it has an entry of its own,
    `done`. An entry holds no name, no address of a person, and no words that somebody wrote. The names are those that
    the members have when it is read.
    """

    id = own_id()
    at = Moment(required=True)
    operation = fields.String(
        allow_none=True,
        required=True,
        metadata={
            "description": "The `operationId`. For a member who asked too often, this and all that tells it are null, "
            "because the request may have been for an anonymous voice.",
            "example": "set_member_roles",
        },
    )
    method = fields.String(
        allow_none=True,
        required=True,
        metadata={"description": "The method of the request; null if a service noted the deed.", "example": "PUT"},
    )
    path = fields.String(allow_none=True, required=True, metadata={"example": "/v1/members/<id:member_id>/roles"})
    subject_id = Id(allow_none=True, required=True, metadata={"description": "Its subject, if the path names it."})
    subject_name = name_beside("subject_id")
    actor_id = Id(
        allow_none=True,
        required=True,
        metadata={"description": "The member; null if not signed in, or if it would tell who spoke anonymously."},
    )
    actor_name = name_beside("actor_id")
    outcome = fields.String(required=True, validate=validate.OneOf(OUTCOMES))
    status = fields.Integer(
        allow_none=True, required=True, metadata={"description": "null if a service noted the deed.", "example": 403}
    )
    code = fields.String(
        allow_none=True,
        required=True,
        metadata={"description": "The reason for a denial.", "example": None},
    )
    network = fields.String(
        allow_none=True,
        required=True,
        metadata={"description": "The caller's network, never the whole address.", "example": "203.0.113.0/24"},
    )
    before = _facts(
        metadata={"description": "The facts before; null if new or denied.", "example": {"roles": ["coworker"]}}
    )
    after = _facts(metadata={"description": "The facts after; null if read or denied.", "example": {"roles": ["host"]}})


AuditEntryPage = page_of(AuditEntry)


class AuditQuery(Page):
    """A query for entries, listed newest first."""

    outcome = fields.String(load_default=None, validate=validate.OneOf(OUTCOMES))
    actor_id = Id(load_default=None, metadata={"description": "Only the deeds and denials of this member."})
