"""Measures the CPU cost of a function, and its growth with the size of the input."""

import time
from collections.abc import Callable

TRIES = 5
MEASURABLE = 0.0003  # seconds of CPU: a function that costs less even for the longest input is harmless
LINEAR = 4.0
QUADRATIC = 16.0


def growth(work: Callable[[int], object], most: int) -> float:
    """The factor in CPU time for four times the size, up to `most`: about 4 if it is linear, 16 if quadratic.

    The best of several tries counts, as others use the machine, too.
    """
    little, much = (_cost(work, size) for size in (most // 4, most))
    return much / max(little, MEASURABLE / LINEAR)


def _cost(work: Callable[[int], object], size: int) -> float:
    found = []
    for _ in range(TRIES):
        began = time.process_time()
        work(size)
        found.append(time.process_time() - began)
    return min(found)
