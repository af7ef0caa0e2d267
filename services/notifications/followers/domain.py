"""What is true of followers: one row for each member and subject, as young as the youngest message heard about both."""

from datetime import datetime, timedelta
from typing import Any

Follower = dict[str, Any]
SIDE_BY_SIDE = timedelta(hours=1)  # that a version which hears of no followers may go on working after the first does


def follower(subject: str, member_id: str, state: str, sequence: int) -> Follower:
    """A member who follows a subject in some state; `sequence` says how young this is."""
    return {
        "_id": f"{subject}:{member_id}",
        "subject": subject,
        "member": member_id,
        "state": state,
        "sequence": sequence,
    }


def began(now: datetime) -> datetime:
    """From when on every subject has followers who are heard of, sooner or later."""
    return now + SIDE_BY_SIDE


def may_stay_unknown(subject_at: datetime, began: datetime) -> bool:
    """Whether a subject of this moment may have followers of whom nobody will ever hear."""
    return subject_at < began
