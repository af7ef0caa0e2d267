"""Answers that many members read alike, kept by a worker until the bus says that they may have changed.

An answer is kept only if no such message came while it was on its way, and only while the bus can be heard. They are
kept as JSON, whose size is known, and together take no more than MOST; whoever asks for other pages of long texts can
only make the gateway ask the service again.
"""

import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import amqp
from prometheus_client import Counter

from gateway.answers import Written
from gateway.bus.link import Link, declare
from services.contracts.catalogue import EXCHANGE

MOST = 16 * 1024 * 1024  # bytes, of all that is kept
LARGEST = MOST // 16  # bytes, of an answer with its key: a larger one is not kept, as it would displace many
AROUND = 512  # bytes that an answer takes besides its key and its text
LONGEST = 60.0  # seconds, should a message ever fail to come

READ = Counter("hearth_gateway_shared_reads_total", "Reads of what may be shared, by where they were answered.", ["by"])
BY_GATEWAY, BY_SERVICE = READ.labels("gateway"), READ.labels("service")


class Shared:
    """The kept answers of a worker, and its ear on the bus."""

    def __init__(self, link: Link) -> None:
        self._keys: set[str] = set()
        self._kept: OrderedDict[bytes, tuple[float, Written]] = OrderedDict()
        self._size = 0  # bytes
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
        self._size = 0

    def get(self, key: bytes, ask: Callable[[], Any]) -> Written:
        """The kept answer, or else what `ask` returns (a refusal that it raises is not kept)."""
        kept = self._kept.get(key)
        if kept is not None and kept[0] > time.monotonic():
            BY_GATEWAY.inc()
            return kept[1]
        before = self._changes
        BY_SERVICE.inc()
        answer = Written.of(ask())
        if self._hearing and before == self._changes:
            self._keep(key, answer)
        return answer

    def _keep(self, key: bytes, answer: Written) -> None:
        self._drop(key)
        size = _size(key, answer)
        if size > LARGEST:
            return
        self._kept[_fitted(key)] = (time.monotonic() + LONGEST, replace(answer, body=_fitted(answer.body)))
        self._size += size
        while self._size > MOST:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: bytes) -> None:
        if (kept := self._kept.pop(key, None)) is not None:
            self._size -= _size(key, kept[1])


def _fitted(written: bytes) -> bytes:
    """The same in as much memory as it needs: what orjson returns holds on to 4 KB and more that it did not use."""
    return bytes(memoryview(written))


def _size(key: bytes, answer: Written) -> int:
    return len(key) + len(answer.body) + AROUND
