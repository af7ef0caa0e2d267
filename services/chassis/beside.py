"""Two acts at a time, for work that would otherwise wait for one and then for the other."""

from collections.abc import Callable
from typing import Any

import eventlet


def beside(act: Callable[..., Any], *args: Any) -> Callable[[], Any]:
    """Begin an act. The function returned waits for its result, and returns it or raises its error."""
    wait: Callable[[], Any] = eventlet.spawn(act, *args).wait
    return wait
