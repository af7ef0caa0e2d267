"""The audit log: denials, and the deeds that only some may do, each with its member."""

from typing import Any

from marshmallow import fields, validate

from services.contracts.shapes.parts import Id, Moment, Page, Shape, own_id, page_of

OUTCOMES = ("done", "denied", "unknown")


def _facts(**kwargs: Any) -> fields.Dict:
    return fields.Dict(keys=fields.String(), allow_none=True, required=True, **kwargs)


class Deed(Shape):
    """A deed that only some may do, as the owning service saved it. It holds no address and no words."""

    operation = fields.String(required=True, metadata={"description": "The `operationId`."})
    subject_id = Id(required=True, allow_none=True, metadata={"description": "What it was done to."})
    actor_id = Id(required=True, allow_none=True, metadata={"description": "Who; null on the machine itself."})
    network = fields.String(
        required=True, allow_none=True, metadata={"description": "Where it came from, to /24 (IPv4) or /48 (IPv6)."}
    )
    before = _facts(metadata={"description": "How it was; null for what is new."})
    after = _facts(metadata={"description": "How it is; null for what was only read."})


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
    `done`. An entry holds no name, no address of a person, and no words that somebody wrote.
    """

    id = own_id()
    at = Moment(required=True)
    operation = fields.String(
        allow_none=True,
        required=True,
        metadata={
            "description": "The `operationId`; null, like what follows from it, when a member asked too often: who did "
            "is kept, what they asked is not, for it may have been to say something anonymously.",
            "example": "set_member_roles",
        },
    )
    method = fields.String(
        allow_none=True,
        required=True,
        metadata={"description": "Of the request; null for what a service noted.", "example": "PUT"},
    )
    path = fields.String(allow_none=True, required=True, metadata={"example": "/v1/members/<id:member_id>/roles"})
    subject_id = Id(allow_none=True, required=True, metadata={"description": "What it was done to, if the path says."})
    actor_id = Id(
        allow_none=True,
        required=True,
        metadata={"description": "Who; null when nobody was signed in, or where it would tell who spoke anonymously."},
    )
    outcome = fields.String(required=True, validate=validate.OneOf(OUTCOMES))
    status = fields.Integer(
        allow_none=True, required=True, metadata={"description": "null for what a service noted.", "example": 403}
    )
    code = fields.String(
        allow_none=True,
        required=True,
        metadata={"description": "Why it was denied.", "example": None},
    )
    network = fields.String(
        allow_none=True,
        required=True,
        metadata={"description": "From where, never the whole address.", "example": "203.0.113.0/24"},
    )
    before = _facts(
        metadata={"description": "How it was; null for what was new or denied.", "example": {"roles": ["coworker"]}}
    )
    after = _facts(
        metadata={"description": "How it is since; null for what was read or denied.", "example": {"roles": ["host"]}}
    )


AuditEntryPage = page_of(AuditEntry)


class AuditQuery(Page):
    """A query for entries, listed newest first."""

    outcome = fields.String(load_default=None, validate=validate.OneOf(OUTCOMES))
    actor_id = Id(load_default=None, metadata={"description": "Only what this member did or was denied."})
