"""A guard for each capability. It limits the waiting calls (bulkhead), and stops calls while it hangs (breaker).

So a hanging capability costs its own callers little, and other callers nothing. We wrote these few lines ourselves
because pybreaker holds a lock during the guarded call, so that calls would run one at a time.
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
    "1 while calls to a hanging capability are stopped (with several workers: the number that stopped them).",
    ["capability"],
    multiprocess_mode="livesum",
)


@dataclass(frozen=True)
class Limits:
    """Limits of a capability: `waiting` calls at a time; after `misses` in a row it rests for `rest` seconds.

    A rest must be longer than a call may take, so that only one call at a time probes the capability.
    """

    waiting: int = 250
    misses: int = 3
    rest: float = 3.0


class Guard:
    """Entered around each call to a capability, and told the result.

    After too many missed calls in a row, no call is let in during the rest. Then one call probes the capability while
    the others still wait. If it is answered, all calls are let in again; if not, another rest begins.
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
        """Let a call in. Raises Unavailable at once: `resting`, or `busy` if too many calls are in."""
        left = self._rests_until - time.monotonic()
        if self._open and left > 0:
            says = "This part of the platform does not answer at present. Please try again later."
            raise Unavailable("resting", says, after=math.ceil(left))
        if self._waiting >= self._limits.waiting:
            raise Unavailable("busy", "Too many ask this part of the platform. Please try again in a moment.")
        self._rest()  # matters only if this call is the probe: it starts another rest for the others
        self._waiting += 1
        return self

    def __exit__(self, *_error: object) -> None:
        self._waiting -= 1

    def answered(self) -> None:
        """Note that an answer came, even a refusal. The capability is well."""
        if self._open:
            log.info("breaker closed", capability=self._capability)
            self._gauge.set(0)
        self._misses = 0

    def missed(self) -> None:
        """Note that no answer came in time."""
        self._misses += 1
        self._rest()
        if self._misses == self._limits.misses:
            log.warning("breaker opened", capability=self._capability)
            self._gauge.set(1)

    def _rest(self) -> None:
        self._rests_until = time.monotonic() + self._limits.rest
