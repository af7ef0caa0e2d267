"""Announcing what a handler has made of the message that it hears, where no aggregate is saved for it to ride in.

The handler returns when the broker has it safe. If it dies before, it hears its message again, and announces again: the
same under the same id.
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
        """Send what came of the present message. Raises BusDown."""
        self.post(announcement, 1)()

    def post(self, announcement: Announcement, nth: int, *, to: str = "") -> Callable[[], None]:
        """Begin to `announce` the `nth` of many, on their way together; the answer, called, waits until it is safe.

        One that is said `to` some has an id made of who they are, not of its number: sent again to others, perhaps by
        who takes up interrupted work, it is another. No two may be to the same.
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
