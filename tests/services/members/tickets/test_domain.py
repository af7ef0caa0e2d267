"""The rules of a ticket."""

from datetime import UTC, datetime, timedelta

import pytest

from services.contracts.errors import Unauthenticated
from services.members.tickets import domain

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
MOMENT = timedelta(milliseconds=1)


def test_a_ticket_works_for_half_a_minute() -> None:
    ticket = domain.new_ticket("hash", "session", NOW)
    assert domain.valid(ticket, NOW + timedelta(seconds=30) - MOMENT) is ticket
    for wrong in (None, ticket):
        with pytest.raises(Unauthenticated, match="Ask for a new one"):
            domain.valid(wrong, NOW + timedelta(seconds=30))
