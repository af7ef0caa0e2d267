"""The calls that feedback answers."""

from services.contracts.calling import ask, listen
from services.contracts.roles import ADMINISTRATORS, MEMBERS, STAFF
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
from services.contracts.shapes.parts import Id

listen("feedback.people")

RAISE_VOICE = ask(
    "feedback.voices.submit",
    operation="raise_voice",
    says="Tell the hub something; an anonymous voice comes with a claim code, shown this once.",
    takes={"draft": VoiceDraft},
    makes=RaisedVoice,
    may=MEMBERS,
    refuses=("too_many_voices",),
)
LIST_VOICES = ask(
    "feedback.voices.browse",
    operation="list_voices",
    says="List voices, newest first: my own, or all for administrators and hosts.",
    takes={"query": VoiceQuery},
    gives=VoicePage,
    may=MEMBERS,
)
SHOW_VOICE = ask(
    "feedback.voices.show",
    operation="show_voice",
    says="Show a voice with its answers.",
    takes={"voice_id": Id},
    gives=Voice,
    may=STAFF,
    own=MEMBERS,
    refuses=("not_found",),
)
ANSWER_VOICE = ask(
    "feedback.voices.answer",
    operation="answer_voice",
    says="Answer a voice; its author is told.",
    takes={"voice_id": Id, "answer": AnswerDraft},
    makes=Voice,
    may=STAFF,
    refuses=("not_found", "staff_only", "final", "answered_enough"),
)
MOVE_VOICE = ask(
    "feedback.voices.move",
    operation="move_voice",
    says="Move a voice to a later step, perhaps past others, never back; its author is told.",
    takes={"voice_id": Id, "move": Move},
    gives=Voice,
    may=STAFF,
    refuses=("not_found", "staff_only", "final", "not_forward"),
)
TAKE_DOWN_VOICE = ask(
    "feedback.voices.take_down",
    operation="take_down_voice",
    says="Take a voice down: its words are forgotten, its author is told why.",
    takes={"voice_id": Id, "takedown": Takedown},
    gives=Voice,
    may=ADMINISTRATORS,
    refuses=("not_found", "administrators_only", "final"),
)
CLAIM_OUTCOME = ask(
    "feedback.voices.outcome",
    operation="claim_outcome",
    says="Read the outcome of an anonymous voice with its claim code.",
    takes={"claim": Claim},
    gives=Outcome,
    public=True,
    refuses=("not_found",),
)
