"""The calls of all capabilities, one file per service. Importing this package declares them all."""

from services.contracts.calling import CALLS, LISTENERS
from services.contracts.calls import events, feedback, house, members, notifications, sessions

__all__ = ["CALLS", "capabilities", "events", "feedback", "house", "members", "notifications", "sessions"]


def capabilities() -> list[str]:
    """The names of all capabilities. Each of them answers `ping`."""
    return list(dict.fromkeys([*(call.capability for call in CALLS.values()), *LISTENERS]))
