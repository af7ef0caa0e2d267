"""What is true of a line in an inbox: exactly one per member and notification."""

from datetime import UTC, datetime, timedelta
from typing import Any

Line = dict[str, Any]
# Lines of different notifications become visible in an order a little unlike that of their moments. Whoever comes back
# is given this much again; the ids tell what was seen.
OVERLAP = timedelta(seconds=5)


def line(member_id: str, notification_id: str, notice: dict[str, str], at: datetime) -> Line:
    """The line that tells a member of something."""
    return {
        "_id": line_id(member_id, notification_id),
        "member": member_id,
        "notification": notification_id,
        **notice,
        "at": at,
        "read_at": None,
    }


def line_id(member_id: str, notification_id: str) -> str:
    """The same for each delivery of the same notification to the same member."""
    return f"{member_id}:{notification_id}"


def seen_until(event_id: str) -> datetime | None:
    """From when on a reader who saw this event last may lack lines; None when it is no event of ours."""
    milliseconds, dash, _ = event_id.partition("-")
    if not dash or not milliseconds.isdecimal() or len(milliseconds) > 13:
        return None
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC) - OVERLAP
