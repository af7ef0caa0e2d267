"""The relay keeps a bounded number of messages in memory."""

from typing import Any

from services.chassis.outbox import MOST_KICKED, Relay


def test_what_was_saved_while_nothing_can_be_sent_does_not_fill_the_memory() -> None:
    """The sweep finds the other messages in the store."""
    relay, rows = Relay(), object()
    for number in range(MOST_KICKED + 100):
        event: dict[str, Any] = {"id": str(number)}
        relay.kick(rows, str(number), [event])  # type: ignore[arg-type]
    assert relay._kicked.qsize() == MOST_KICKED
