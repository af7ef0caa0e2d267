"""The messages that the gateway announces, for the audit log. They stay within the platform."""

from marshmallow import fields, validate

from services.contracts.catalogue import announce
from services.contracts.shapes.audit import OUTCOMES
from services.contracts.shapes.parts import Id, Shape


class GatewayNoted(Shape):
    """A deed or denial at the gateway. It holds no name, no address of a person, and no part of the request's body."""

    operation = fields.String(required=True, allow_none=True, metadata={"description": "The route's operationId."})
    method = fields.String(required=True, allow_none=True)
    path = fields.String(
        required=True, allow_none=True, metadata={"description": "The path of the route, not of the request."}
    )
    subject_id = Id(required=True, allow_none=True, metadata={"description": "The id in the path."})
    actor_id = Id(required=True, allow_none=True, metadata={"description": "null without a signed-in member."})
    outcome = fields.String(required=True, validate=validate.OneOf(OUTCOMES))
    status = fields.Integer(required=True)
    code = fields.String(required=True, allow_none=True, metadata={"description": "The problem's code, if denied."})
    network = fields.String(
        required=True, allow_none=True, metadata={"description": "The caller's network, to /24 (IPv4) or /48 (IPv6)."}
    )


GATEWAY_NOTED = announce(
    "gateway.noted",
    by="gateway",
    says="Somebody was denied something, or did a deed that only some may do.",
    body=GatewayNoted,
    example={
        "operation": "set_member_roles",
        "method": "PUT",
        "path": "/v1/members/<id:member_id>/roles",
        "subject_id": "018f2d6e-5b7c-7a3e-9c41-0f2b6d7e8a90",
        "actor_id": "018f2d6c-0d4e-7f21-8a5b-6c7d8e9fa0b1",
        "outcome": "denied",
        "status": 403,
        "code": "administrators_only",
        "network": "203.0.113.0/24",
    },
    private=True,
)
