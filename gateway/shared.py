"""Answers that many members read alike, kept by a worker until the bus says that they may have changed.

An answer is kept only if no such message came while it was on its way, and only while the bus can be heard.
"""

import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

import amqp
from prometheus_client import Counter

from gateway.link import Link, declare
from services.contracts.catalogue import EXCHANGE

MOST = 200  # answers
LONGEST = 60.0  # seconds, should a message ever fail to come

READ = Counter("hearth_gateway_shared_reads_total", "Reads of what may be shared, by where they were answered.", ["by"])


class Shared:
    """The kept answers of a worker, and its ear on the bus."""

    def __init__(self, link: Link) -> None:
        self._keys: set[str] = set()
        self._kept: OrderedDict[bytes, tuple[float, Any]] = OrderedDict()
        self._changes = 0
        self._hearing = False
        link.serve(self)

    def refresh_by(self, keys: Iterable[str]) -> None:
        """Forget everything when a message with one of these keys is heard. To be said before the link starts."""
        self._keys.update(keys)

    def opened(self, connection: amqp.Connection) -> None:
        declare(connection, EXCHANGE)
        channel = connection.channel()
        queue = f"gateway.shared.{uuid.uuid4()}"
        channel.queue_declare(queue, exclusive=True, auto_delete=True)
        for key in self._keys:
            channel.queue_bind(queue, EXCHANGE, key)
        channel.basic_consume(queue, no_ack=True, callback=lambda _message: self._forget())
        self._hearing = True

    def lost(self) -> None:
        self._hearing = False
        self._forget()

    def _forget(self) -> None:
        self._changes += 1
        self._kept.clear()

    def get(self, key: bytes, ask: Callable[[], Any]) -> Any:
        """The kept answer, or else what `ask` returns (a refusal that it raises is not kept)."""
        until, answer = self._kept.get(key, (0.0, None))
        if until > time.monotonic():
            READ.labels("gateway").inc()
            return answer
        before = self._changes
        READ.labels("service").inc()
        answer = ask()
        if self._hearing and before == self._changes:
            self._kept[key] = (time.monotonic() + LONGEST, answer)
            if len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return answer
