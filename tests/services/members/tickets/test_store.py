"""Tickets on a real store."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from services.members.tickets.domain import new_ticket
from services.members.tickets.store import TicketStore


def test_of_many_who_take_a_ticket_one_gets_it(make_store: Any) -> None:
    store = make_store(TicketStore)
    store.add(new_ticket("hash", "session", datetime(2026, 11, 2, 9, tzinfo=UTC)))
    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(store.take, ["hash"] * 10))
    assert [each["session_id"] for each in found if each] == ["session"]
    assert store.take("another") is None
