"""What the relay keeps in memory."""

from typing import Any

from services.chassis.outbox import MOST_KICKED, Relay


def test_what_was_saved_while_nothing_can_be_sent_does_not_fill_the_memory() -> None:
    """What is not kept is in the store, where the sweep finds it."""
    relay, rows = Relay(), object()
    for number in range(MOST_KICKED + 100):
        event: dict[str, Any] = {"id": str(number)}
        relay.kick(rows, str(number), [event])  # type: ignore[arg-type]
    assert relay._kicked.qsize() == MOST_KICKED
