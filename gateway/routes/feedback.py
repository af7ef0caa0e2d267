"""Feedback: voices, their answers and their outcomes."""

from gateway.api import Blueprint
from services.contracts.calls.feedback import (
    ANSWER_VOICE,
    CLAIM_OUTCOME,
    LIST_VOICES,
    MOVE_VOICE,
    RAISE_VOICE,
    SHOW_VOICE,
    TAKE_DOWN_VOICE,
)

routes = Blueprint("feedback", __name__, description="Wishes, expectations and needs of members, and their outcomes.")

routes.post("/feedback", RAISE_VOICE, location="/v1/feedback/{id}")
routes.get("/feedback", LIST_VOICES, sheet=True)
routes.get("/feedback/<id:voice_id>", SHOW_VOICE)
routes.post("/feedback/<id:voice_id>/answers", ANSWER_VOICE, location="/v1/feedback/{id}")
routes.put("/feedback/<id:voice_id>/status", MOVE_VOICE)
routes.put("/feedback/<id:voice_id>/takedown", TAKE_DOWN_VOICE)
routes.post("/feedback/claims", CLAIM_OUTCOME)
