"""Readiness: the bus is connected, and every capability and its store answer."""

import time
from collections.abc import Sequence

import gevent
from gevent.lock import BoundedSemaphore

from gateway.bus.rpc import Client
from services.contracts.errors import Refusal

PATIENCE = 1.0  # seconds to wait for an answer, and for which the result is kept


class Health:
    """Asks all capabilities at once. It keeps the result for PATIENCE, however often it is asked itself."""

    def __init__(self, client: Client, capabilities: Sequence[str]) -> None:
        self._client = client
        self._capabilities = capabilities
        self._asking = BoundedSemaphore()
        self._asked = -PATIENCE
        self._missing: list[str] = []
        self.draining = False

    def missing_here(self) -> list[str]:
        """The parts that this gateway itself lacks: `broker`, or `gateway` while it is stopping."""
        if self.draining:
            return ["gateway"]
        return [] if self._client.up else ["broker"]

    def missing(self) -> list[str]:
        """The parts that the platform lacks: capabilities, `broker`, or `gateway` while it is stopping.

        If a capability answers but its store does not, the store is named: `feedback.voices store`.
        """
        if own := self.missing_here():
            return own
        with self._asking:
            if time.monotonic() - self._asked > PATIENCE:
                found = gevent.joinall([gevent.spawn(self._lacking, capability) for capability in self._capabilities])
                self._missing = [each.value for each in found if each.value]
                self._asked = time.monotonic()
            return self._missing

    def _lacking(self, capability: str) -> str | None:
        try:
            says = self._client.ping(capability, PATIENCE)
        except Refusal:
            return capability
        match says:
            case {"store": False}:
                return f"{capability} store"
            case {"ready": True}:
                return None
        return capability
