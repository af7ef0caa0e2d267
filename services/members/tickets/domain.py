"""The rules of a ticket: it opens one live stream, once, within seconds, while the session that asked for it lasts.

An address is written into logs and histories, so an access token has no place in it. A ticket has: when somebody reads
it there, it has been used or is too old.
"""

from datetime import datetime, timedelta
from typing import TypedDict

from services.contracts.errors import Unauthenticated

LASTS = timedelta(seconds=30)


class Ticket(TypedDict):
    """A ticket that was not used yet, as it is kept. Its id is the hash of its secret."""

    _id: str
    session_id: str
    ends_at: datetime


def new_ticket(secret_hash: str, session_id: str, now: datetime) -> Ticket:
    """A ticket for the session of a caller."""
    return {"_id": secret_hash, "session_id": session_id, "ends_at": now + LASTS}


def valid(ticket: Ticket | None, now: datetime) -> Ticket:
    """The ticket, if there is one and it has not ended. Raises Unauthenticated."""
    if ticket is None or ticket["ends_at"] <= now:
        raise refused()
    return ticket


def refused() -> Unauthenticated:
    """The refusal of a ticket. It is the same for all reasons."""
    return Unauthenticated("ticket_refused", "This ticket was used, or is too old. Ask for a new one.")
