"""What is true of inboxes."""

import pytest

from services.contracts.shapes.notifications import moment_of


@pytest.mark.parametrize("word", ["", "x", "-", "12", "x-y", "1e5-y", "-1-y", "9" * 40 + "-y", "9" * 15 + "-y", "²-y"])
def test_an_event_that_is_not_ours_is_nowhere(word: str) -> None:
    assert moment_of(word) is None
