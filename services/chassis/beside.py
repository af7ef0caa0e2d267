"""Two things at a time, where a piece of work would otherwise wait for the one and then for the other."""

from collections.abc import Callable
from typing import Any

import eventlet


def beside(act: Callable[..., Any], *args: Any) -> Callable[[], Any]:
    """Begin an act; the answer, called, waits for what it returns, or raises what it raised."""
    wait: Callable[[], Any] = eventlet.spawn(act, *args).wait
    return wait
