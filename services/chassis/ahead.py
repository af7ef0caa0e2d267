"""Working ahead: what comes next is begun while what came before is looked at."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextvars import copy_context
from typing import TypeVar

import eventlet
from eventlet.greenthread import GreenThread

AT_ONCE = 2

Item = TypeVar("Item")
Made = TypeVar("Made")


def ahead(work: Callable[[Item], Made], items: Iterable[Item]) -> Iterator[Made]:
    """What `work` makes of each item, in the order of the items; two are worked on at a time.

    What it raises is raised in its turn. Who stops listening leaves at most two behind, which end by themselves.
    """
    begun: deque[GreenThread] = deque()
    for item in items:
        begun.append(eventlet.spawn(copy_context().run, work, item))  # with the deadline of whoever works ahead
        if len(begun) == AT_ONCE:
            yield begun.popleft().wait()
    while begun:
        yield begun.popleft().wait()
