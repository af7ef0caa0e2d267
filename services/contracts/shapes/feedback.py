"""Feedback: the voices of the community, and what becomes of them."""

from marshmallow import fields, validate

from services.contracts.shapes.parts import (
    TOUCHPOINTS,
    Flag,
    Id,
    Moment,
    Page,
    Shape,
    Text,
    name_beside,
    own_id,
    page_of,
)
from services.contracts.shapes.pasted import Code

KINDS = ("want", "expect", "need", "praise", "problem", "idea")
MOVES = ("acknowledged", "decided", "done", "declined")
STATUSES = ("received", *MOVES, "taken_down")


class VoiceDraft(Shape):
    """A voice as a member sends it."""

    text = Text(most=4000, required=True, metadata={"example": "I need a quiet room for calls."})
    kind = fields.String(
        load_default=None, allow_none=True, validate=validate.OneOf(KINDS), metadata={"example": "need"}
    )
    touchpoint = fields.String(load_default="app", validate=validate.OneOf(TOUCHPOINTS), metadata={"example": "cafe"})
    anonymous = Flag(
        load_default=False,
        metadata={"description": "The author is then stored nowhere; the answer has a claim code."},
    )


class AnswerDraft(Shape):
    """A public answer to a voice."""

    text = Text(most=4000, required=True, metadata={"example": "Thank you. We will look for a room this month."})


class Move(Shape):
    """The step that a voice has come to."""

    status = fields.String(
        required=True,
        validate=validate.OneOf(MOVES),
        metadata={
            "description": "`acknowledged`, `decided`, `done`, in this order. Steps may be passed over; none is taken"
            " back. `declined` may come instead of any of them, and is final like `done`.",
            "example": "decided",
        },
    )
    reason = Text(
        least=0,
        most=1000,
        load_default="",
        metadata={"description": "Needed for `declined`; the author reads it.", "example": ""},
    )


class Takedown(Shape):
    """The reason why a voice is taken down."""

    reason = Text(
        most=1000,
        required=True,
        metadata={"description": "The author reads it.", "example": "It names a neighbour who never agreed to that."},
    )


class Answer(Shape):
    """An answer as its readers see it."""

    at = Moment(required=True)
    by = Id(required=True, metadata={"description": "The member who answered for the hub."})
    by_name = name_beside("by")
    text = fields.String(required=True, metadata={"example": "Thank you. We will look for a room this month."})


class Outcome(Shape):
    """The outcome of a voice, which is all that a claim code shows. A voice that was taken down has no words."""

    text = fields.String(required=True, metadata={"example": "I need a quiet room for calls."})
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    reason = fields.String(required=True, metadata={"example": ""})
    answers = fields.List(fields.Nested(Answer), required=True)


class Voice(Outcome):
    """One piece of feedback, from whatever touchpoint it came."""

    id = own_id()
    kind = fields.String(allow_none=True, required=True, validate=validate.OneOf(KINDS), metadata={"example": "need"})
    touchpoint = fields.String(required=True, validate=validate.OneOf(TOUCHPOINTS), metadata={"example": "cafe"})
    anonymous = fields.Boolean(required=True)
    author_id = Id(allow_none=True, required=True, metadata={"description": "null for an anonymous voice."})
    author_name = name_beside("author_id")
    raised_at = Moment(universal=True, required=True, metadata={"description": "For an anonymous voice: the day only."})
    version = fields.Integer(required=True, metadata={"description": "Rises by one with every change."})


class RaisedVoice(Voice):
    """A voice just raised. An anonymous one comes with its claim code, shown once."""

    claim_code = fields.String(allow_none=True, required=True, metadata={"example": None})


VoicePage = page_of(Voice)


class VoiceQuery(Page):
    """A query for voices: one's own, or all of them for administrators and hosts."""

    status = fields.String(load_default=None, validate=validate.OneOf(STATUSES))
    mine = fields.Boolean(load_default=False)


class Claim(Shape):
    """The code that an anonymous author kept."""

    claim_code = Code(required=True, load_only=True, metadata={"example": "Yk0cXq3uVt8sZr5eWb2nHj7mKpA"})
