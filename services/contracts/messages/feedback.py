"""The messages that feedback announces, about the voices of the community and what becomes of them."""

from marshmallow import fields, validate

from services.contracts.catalogue import announce
from services.contracts.shapes.audit import DEED, Deed
from services.contracts.shapes.feedback import STATUSES
from services.contracts.shapes.parts import Id, Shape


class FeedbackSubmitted(Shape):
    """A voice as it was raised."""

    voice_id = Id(required=True)
    kind = fields.String(required=True, allow_none=True)
    touchpoint = fields.String(required=True)
    text = fields.String(required=True)
    author_id = Id(required=True, allow_none=True, metadata={"description": "null for an anonymous voice."})


class FeedbackAnswered(Shape):
    """A public answer to a voice."""

    voice_id = Id(required=True)
    text = fields.String(required=True, metadata={"description": "The words of the voice."})
    answer = fields.String(required=True)
    author_id = Id(required=True, allow_none=True)
    actor_id = Id(required=True, metadata={"description": "The member whose deed this was."})


class FeedbackMoved(Shape):
    """A step of a voice towards its outcome."""

    voice_id = Id(required=True)
    text = fields.String(required=True, metadata={"description": "The words of the voice."})
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    reason = fields.String(required=True)
    author_id = Id(required=True, allow_none=True)
    actor_id = Id(required=True, metadata={"description": "The member whose deed this was."})


class FeedbackTakenDown(Shape):
    """A voice that can't be read any more. Every copy of its words and of its answers' words must be forgotten."""

    voice_id = Id(required=True)
    reason = fields.String(required=True)
    author_id = Id(required=True, allow_none=True)
    actor_id = Id(required=True, metadata={"description": "The member whose deed this was."})


_VOICE = {
    "voice_id": "018f2d71-77aa-7c10-b3de-5e1f0a9b8c72",
    "text": "I need a quiet room for calls.",
    "author_id": "018f2d6e-5b7c-7a3e-9c41-0f2b6d7e8a90",
}
_ACTOR = {"actor_id": "018f2d6c-0d4e-7f21-8a5b-6c7d8e9fa0b1"}

FEEDBACK_SUBMITTED = announce(
    "feedback.submitted",
    by="feedback",
    says="A member told the hub something.",
    body=FeedbackSubmitted,
    example=_VOICE | {"kind": "need", "touchpoint": "cafe"},
)
FEEDBACK_ANSWERED = announce(
    "feedback.answered",
    by="feedback",
    says="The hub answered a voice in public.",
    body=FeedbackAnswered,
    example=_VOICE | _ACTOR | {"answer": "Thank you. We will look for a room this month."},
)
FEEDBACK_MOVED = announce(
    "feedback.moved",
    by="feedback",
    says="A voice went a public step further: acknowledged, decided, done or declined.",
    body=FeedbackMoved,
    example=_VOICE | _ACTOR | {"status": "declined", "reason": "The building has no room to spare before May."},
)
FEEDBACK_NOTED = announce(
    "feedback.noted",
    by="feedback",
    says="Somebody did a deed that only some may do; it goes into the audit log.",
    body=Deed,
    example=DEED | {"operation": "show_voice", "before": None, "after": None},
    private=True,
)
FEEDBACK_TAKEN_DOWN = announce(
    "feedback.taken_down",
    by="feedback",
    says="An administrator took a voice down: its words must be forgotten wherever they were kept.",
    body=FeedbackTakenDown,
    example={name: _VOICE[name] for name in ("voice_id", "author_id")}
    | _ACTOR
    | {"reason": "It names a neighbour who never agreed to that."},
)
