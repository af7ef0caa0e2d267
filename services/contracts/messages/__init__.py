"""The catalogue: every message that travels on the bus, one file per publisher. Importing this declares all."""

from services.contracts.messages import events, feedback, gateway, members, notifications

__all__ = ["events", "feedback", "gateway", "members", "notifications"]
