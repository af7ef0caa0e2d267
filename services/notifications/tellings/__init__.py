"""Tellings: who hears of which message, why, and what is kept of it; a file for each publisher.

`TELLINGS` are made into the handlers of the fan-out, `FOLLOWINGS` into those of the followers. README.md in this folder
is made from both.
"""

from services.notifications.tellings import events, feedback
from services.notifications.tellings.grammar import FOLLOWINGS, TELLINGS

__all__ = ["FOLLOWINGS", "TELLINGS", "events", "feedback"]
