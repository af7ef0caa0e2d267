"""Feedback: voices, what was answered, what became of them."""

from typing import Any

from gateway.api import Blueprint
from gateway.bus.rpc import call
from gateway.door.auth import public
from services.contracts.errors import Conflict, Forbidden, NotFound
from services.contracts.shapes.feedback import (
    AnswerDraft,
    Claim,
    Move,
    Outcome,
    RaisedVoice,
    Takedown,
    Voice,
    VoiceDraft,
    VoicePage,
    VoiceQuery,
)
from services.contracts.shapes.parts import ROLES

routes = Blueprint("feedback", __name__, description="What members want, expect and need, and what became of it.")


@routes.route("/feedback", methods=["POST"])
@routes.arguments(VoiceDraft)
@routes.response(201, RaisedVoice, location="/v1/feedback/{id}")
@routes.may(*ROLES)
def raise_voice(draft: dict[str, Any]) -> Any:
    """Tell the hub something; an anonymous voice comes with a claim code, shown this once."""
    return call("feedback.voices", "submit", draft=draft)


@routes.route("/feedback")
@routes.arguments(VoiceQuery, location="query")
@routes.response(200, VoicePage, sheet=True)
@routes.may(*ROLES)
def list_voices(query: dict[str, Any]) -> Any:
    """List voices, newest first: my own, or all for administrators and hosts."""
    return call("feedback.voices", "browse", query=query)


@routes.route("/feedback/<id:voice_id>")
@routes.response(200, Voice)
@routes.refuses(NotFound)
@routes.may("administrator", "host", own=ROLES)
def show_voice(voice_id: str) -> Any:
    """Show a voice with its answers."""
    return call("feedback.voices", "show", voice_id=voice_id)


@routes.route("/feedback/<id:voice_id>/answers", methods=["POST"])
@routes.arguments(AnswerDraft)
@routes.response(201, Voice, location="/v1/feedback/{id}")
@routes.refuses(Forbidden, NotFound, Conflict)
@routes.may("administrator", "host")
def answer_voice(answer: dict[str, Any], voice_id: str) -> Any:
    """Answer a voice; its author is told."""
    return call("feedback.voices", "answer", voice_id=voice_id, answer=answer)


@routes.route("/feedback/<id:voice_id>/status", methods=["PUT"])
@routes.arguments(Move)
@routes.response(200, Voice)
@routes.refuses(Forbidden, NotFound, Conflict)
@routes.may("administrator", "host")
def move_voice(move: dict[str, Any], voice_id: str) -> Any:
    """Move a voice one step on; its author is told."""
    return call("feedback.voices", "move", voice_id=voice_id, move=move)


@routes.route("/feedback/<id:voice_id>/takedown", methods=["PUT"])
@routes.arguments(Takedown)
@routes.response(200, Voice)
@routes.refuses(Forbidden, NotFound, Conflict)
@routes.may("administrator")
def take_down_voice(takedown: dict[str, Any], voice_id: str) -> Any:
    """Take a voice down: its words are forgotten, its author is told why."""
    return call("feedback.voices", "take_down", voice_id=voice_id, takedown=takedown)


@routes.route("/feedback/claims", methods=["POST"])
@routes.arguments(Claim)
@routes.response(200, Outcome)
@routes.refuses(NotFound)
@public
def claim_outcome(claim: dict[str, Any]) -> Any:
    """Read with a claim code what became of an anonymous voice."""
    return call("feedback.voices", "outcome", claim=claim)
