"""Readiness: the bus is connected, every capability answers, and so does its store."""

import time
from collections.abc import Sequence

import gevent
from gevent.lock import BoundedSemaphore

from gateway.bus.rpc import Client
from services.contracts.errors import Refusal

PATIENCE = 1.0  # seconds: for an answer, and for how long the findings hold


class Health:
    """Asks all capabilities at once, at most once in a while however often it is asked itself."""

    def __init__(self, client: Client, capabilities: Sequence[str]) -> None:
        self._client = client
        self._capabilities = capabilities
        self._asking = BoundedSemaphore()
        self._asked = -PATIENCE
        self._missing: list[str] = []
        self.draining = False

    def missing_here(self) -> list[str]:
        """What keeps this gateway from serving, whatever capabilities answer: `broker`, or itself while stopping."""
        if self.draining:
            return ["gateway"]
        return [] if self._client.up else ["broker"]

    def missing(self) -> list[str]:
        """What keeps the platform from serving: capabilities, `broker`, or `gateway` while it is stopping.

        A capability that answers, but whose store does not, is named with it: `feedback.voices store`.
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
