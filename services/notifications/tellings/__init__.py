"""Tellings: who hears of which message, why, and what a line keeps of it. Each publisher has a file.

The handlers of the fan-out are made from `TELLINGS`, those of the followers from `FOLLOWINGS`. README.md in this folder
is made from both.
"""

from services.notifications.tellings import events, feedback
from services.notifications.tellings.grammar import FOLLOWINGS, TELLINGS

__all__ = ["FOLLOWINGS", "TELLINGS", "events", "feedback"]
