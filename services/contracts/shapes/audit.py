"""The audit log: what was denied to whom, and who did what only some may do."""

from marshmallow import fields, validate

from services.contracts.shapes.parts import Id, Moment, Page, Shape, own_id, page_of

OUTCOMES = ("done", "denied")


class AuditEntry(Shape):
    """One deed. It holds no name, no address of a person, nothing of what was sent."""

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
        metadata={"description": "null for what was done on the machine itself.", "example": "PUT"},
    )
    path = fields.String(allow_none=True, required=True, metadata={"example": "/v1/members/<id:member_id>/roles"})
    subject_id = Id(allow_none=True, required=True, metadata={"description": "What it was done to, if the path says."})
    actor_id = Id(allow_none=True, required=True, metadata={"description": "Who; null when nobody was signed in."})
    outcome = fields.String(required=True, validate=validate.OneOf(OUTCOMES))
    status = fields.Integer(allow_none=True, required=True, metadata={"example": 200})
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


AuditEntryPage = page_of(AuditEntry)


class AuditQuery(Page):
    """Which entries to list, newest first."""

    outcome = fields.String(load_default=None, validate=validate.OneOf(OUTCOMES))
    actor_id = Id(load_default=None, metadata={"description": "Only what this member did or was denied."})
