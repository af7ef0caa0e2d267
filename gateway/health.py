"""Whether the platform can serve: the bus is connected and every capability answers."""

import time

import gevent
from gevent.lock import BoundedSemaphore

from gateway.rpc import Client
from services.contracts.errors import Refusal

CAPABILITIES = (
    "members.accounts",
    "members.sessions",
    "events.calendar",
    "feedback.voices",
    "notifications.people",
    "notifications.inbox",
    "notifications.fanout",
)
PATIENCE = 1.0  # seconds: for an answer, and for how long the findings hold


class Health:
    """Asks all capabilities at once, at most once in a while however often it is asked itself."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._asking = BoundedSemaphore()
        self._asked = -PATIENCE
        self._missing: list[str] = []
        self.draining = False

    def missing(self) -> list[str]:
        """What keeps the platform from serving: capabilities, `broker`, or `gateway` while it is stopping."""
        if self.draining:
            return ["gateway"]
        if not self._client.up:
            return ["broker"]
        with self._asking:
            if time.monotonic() - self._asked > PATIENCE:
                answers = [gevent.spawn(self._answers, capability) for capability in CAPABILITIES]
                gevent.joinall(answers)
                pairs = zip(CAPABILITIES, answers, strict=True)
                self._missing = [capability for capability, answer in pairs if not answer.value]
                self._asked = time.monotonic()
            return self._missing

    def _answers(self, capability: str) -> bool:
        try:
            self._client.call(capability, "ping", {}, token=None, correlation_id="readyz", timeout=PATIENCE)
        except Refusal:
            return False
        return True
