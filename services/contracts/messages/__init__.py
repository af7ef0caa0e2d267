"""The public catalogue: every message that travels on the bus, one file per publisher. Importing this declares all."""

from services.contracts.messages import events, feedback, members, notifications

__all__ = ["events", "feedback", "members", "notifications"]
