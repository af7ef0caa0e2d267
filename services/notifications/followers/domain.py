"""The rules of followers: one row for each member and subject, as young as the youngest message about both."""

from datetime import datetime, timedelta
from typing import TypedDict

SIDE_BY_SIDE = timedelta(hours=1)  # for which a version that knows no followers may work beside the first that does


class Follower(TypedDict):
    """A member who follows a subject."""

    _id: str
    subject: str
    member: str
    state: str
    sequence: int


def follower(subject: str, member_id: str, state: str, sequence: int) -> Follower:
    """The row of a member who follows a subject in some state. A higher `sequence` is younger."""
    return {
        "_id": f"{subject}:{member_id}",
        "subject": subject,
        "member": member_id,
        "state": state,
        "sequence": sequence,
    }


def began(now: datetime) -> datetime:
    """The moment from which the followers of every new subject become known, sooner or later."""
    return now + SIDE_BY_SIDE


def may_stay_unknown(subject_at: datetime, began: datetime) -> bool:
    """True if a subject of this moment may have followers who never become known."""
    return subject_at < began
