"""One guard a capability: it bounds the calls that wait (bulkhead), and stops asking one that hangs (breaker).

So a capability that hangs costs its own callers little, and the callers of all others nothing. These few lines are our
own because pybreaker holds a lock while the guarded call runs: its callers would stand in line, one at a time.
"""

import math
import time
from dataclasses import dataclass
from typing import Self

from prometheus_client import Gauge

from services.contracts.errors import Unavailable
from services.ground.logs import log

OPEN = Gauge(
    "hearth_gateway_breaker_open",
    "Whether a capability is not asked because it hangs (of several workers: how many don't ask it).",
    ["capability"],
    multiprocess_mode="livesum",
)


@dataclass(frozen=True)
class Limits:
    """How many calls may wait for a capability, after how many missed in a row it rests, and for how many seconds.

    A rest is to be longer than a call may take, so that one call at a time goes to see.
    """

    waiting: int = 250
    misses: int = 3
    rest: float = 3.0


class Guard:
    """Entered around each call to a capability, and told what became of it.

    Once a capability has missed too many calls in a row, nobody is let in while it rests. Then one call is, to see, and
    the others rest on: if it is answered all may come in again, and if not the next may try after another rest.
    """

    def __init__(self, capability: str, limits: Limits) -> None:
        self._capability, self._limits = capability, limits
        self._waiting = self._misses = 0
        self._rests_until = 0.0
        self._gauge = OPEN.labels(capability)

    @property
    def _open(self) -> bool:
        return self._misses >= self._limits.misses

    def __enter__(self) -> Self:
        """Let a call in. Raises Unavailable, `resting` or, when too many are in, `busy`; neither waits."""
        left = self._rests_until - time.monotonic()
        if self._open and left > 0:
            says = "This part of the platform does not answer at present. Please try again later."
            raise Unavailable("resting", says, after=math.ceil(left))
        if self._waiting >= self._limits.waiting:
            raise Unavailable("busy", "Too many ask this part of the platform. Please try again in a moment.")
        self._rest()  # of no effect but when this call is the one that goes to see
        self._waiting += 1
        return self

    def __exit__(self, *_error: object) -> None:
        self._waiting -= 1

    def answered(self) -> None:
        """There was an answer, whatever it says: the capability is well."""
        if self._open:
            log.info("breaker closed", capability=self._capability)
            self._gauge.set(0)
        self._misses = 0

    def missed(self) -> None:
        """There was no answer in time."""
        self._misses += 1
        self._rest()
        if self._misses == self._limits.misses:
            log.warning("breaker opened", capability=self._capability)
            self._gauge.set(1)

    def _rest(self) -> None:
        self._rests_until = time.monotonic() + self._limits.rest
