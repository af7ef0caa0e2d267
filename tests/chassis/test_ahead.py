"""Working ahead: in order, two at a time, with the context of whoever listens."""

from collections.abc import Iterator
from contextvars import ContextVar

import eventlet
import pytest

from services.chassis.ahead import ahead

ABOUT: ContextVar[str] = ContextVar("about")


def test_results_come_in_order_though_work_does_not_end_in_it() -> None:
    busy: list[int] = []
    most = 0

    def work(item: int) -> int:
        nonlocal most
        busy.append(item)
        most = max(most, len(busy))
        eventlet.sleep(0.02 if item % 2 else 0.001)
        busy.remove(item)
        return item * 10

    assert list(ahead(work, range(7))) == [item * 10 for item in range(7)]
    assert most == 2


def test_nothing_is_begun_that_is_not_next() -> None:
    begun = []

    def items() -> Iterator[int]:
        for item in range(5):
            begun.append(item)
            yield item

    coming = ahead(lambda item: item, items())
    assert (next(coming), begun) == (0, [0, 1])
    assert (next(coming), begun) == (1, [0, 1, 2])
    assert list(ahead(lambda item: item, [])) == []


def test_what_fails_is_told_in_its_turn() -> None:
    def work(item: int) -> int:
        if item == 1:
            raise ValueError(item)
        return item

    coming = ahead(work, range(3))
    assert next(coming) == 0
    with pytest.raises(ValueError, match="1"):
        next(coming)


def test_the_work_has_the_context_of_who_asks() -> None:
    ABOUT.set("a deadline")
    assert list(ahead(lambda _item: ABOUT.get(), range(3))) == ["a deadline"] * 3
