"""The announcer sends what a handler makes of its message when no aggregate is saved that could carry it.

The handler returns when the broker has the announcement safe. If it dies before, it hears its message again and
announces the same again, under the same id.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, Self

import orjson
from eventlet.event import Event
from nameko.extensions import DependencyProvider

from services.chassis import context, metrics
from services.chassis.bus import PATIENCE, Publisher, await_confirm
from services.chassis.outbox import pack
from services.contracts.catalogue import CONTENT_TYPE, Announcement, exchange_of
from services.ground import clock, identifiers, tracing
from services.ground.work import TRACEPARENT


class Announcer(DependencyProvider):
    """Lets handlers announce: `announcer = Announcer()`."""

    publisher = Publisher()

    def setup(self) -> None:
        self._capability = self.container.service_name
        self._service = self._capability.partition(".")[0]

    def get_dependency(self, worker_ctx: Any) -> Self:
        return self

    def announce(self, announcement: Announcement) -> None:
        """Announce what came of the present message, and wait until it is safe. Raises BusDown."""
        self.post(announcement, 1)()

    def post(self, announcement: Announcement, nth: int, *, to: str = "") -> Callable[[], None]:
        """Send the `nth` of many announcements without waiting. The function returned waits until it is safe.

        With `to`, the id is derived from the recipients instead of from `nth`, so a repeat to other recipients is a new
        message. No two announcements of one message may have the same `to`.
        """
        key, began = announcement.message.key, clock.unmoved_ns()
        id = identifiers.derived_id(f"{context.causation_id()}/{key}/{to or nth}")
        event = pack(announcement, self._service, nth, id=id)
        confirm = self.publisher.post(exchange_of(key), key, orjson.dumps(event), content_type=CONTENT_TYPE)
        return partial(self._settle, confirm, time.monotonic() + PATIENCE, key, event.get(TRACEPARENT), began)

    def _settle(self, confirm: Event, until: float, key: str, traceparent: str | None, began: int) -> None:
        await_confirm(confirm, until)
        tracing.sent(key, traceparent, began)
        metrics.ANNOUNCED.labels(self._capability).inc()
