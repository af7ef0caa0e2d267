"""The tellings about feedback."""

from services.contracts.messages.feedback import (
    FEEDBACK_ANSWERED,
    FEEDBACK_MOVED,
    FEEDBACK_SUBMITTED,
    FEEDBACK_TAKEN_DOWN,
)
from services.notifications.tellings.grammar import One, Role, tell

tell(
    FEEDBACK_SUBMITTED,
    queue="tell_the_administrators",
    says="The administrators hear of a voice. When there are very many in an hour, one line says so.",
    to=Role("administrator"),
    category="feedback",
    facts=("kind", "touchpoint", "text"),
    about="voice_id",
    link="/v1/feedback/{voice_id}",
    by="author_id",
    withdrawn_by=FEEDBACK_TAKEN_DOWN,
    soon=True,
    folded="/v1/feedback",
)

tell(
    FEEDBACK_ANSWERED,
    queue="tell_the_author_of_an_answer",
    says="The author of a voice reads the answer.",
    to=One("author_id"),
    category="feedback",
    facts=("text", "answer"),
    about="voice_id",
    link="/v1/feedback/{voice_id}",
    withdrawn_by=FEEDBACK_TAKEN_DOWN,
)

tell(
    FEEDBACK_MOVED,
    queue="tell_the_author_of_a_step",
    says="The author of a voice hears what becomes of it.",
    to=One("author_id"),
    category="feedback",
    facts=("text", "status", "reason"),
    about="voice_id",
    link="/v1/feedback/{voice_id}",
    withdrawn_by=FEEDBACK_TAKEN_DOWN,
)

tell(
    FEEDBACK_TAKEN_DOWN,
    queue="tell_the_author_of_a_takedown",
    says="The author of a voice hears that it can't be read any more, and why.",
    to=One("author_id"),
    category="feedback",
    mandatory=True,
    facts=("reason",),
    about="voice_id",
    link="/v1/feedback/{voice_id}",
)
