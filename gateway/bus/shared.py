"""Answers that many members read alike, kept by a worker until the bus says that they may have changed.

A message refreshes the views that name it, and no others. An answer is kept only if no such message came while it was
on its way, and only while the bus can be heard. They are kept as JSON, whose size is known, and together take no more
than MOST; whoever asks for other pages of long texts can only make the gateway ask the service again.
"""

import time
import uuid
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any

import amqp
import orjson
import prometheus_client
from flask import current_app, g

from gateway.answers import Written
from gateway.bus.link import Link, declare
from services.contracts.catalogue import Message, exchange_of

View = Callable[..., Any]

MOST = 16 * 1024 * 1024  # bytes, of all that is kept
LARGEST = MOST // 16  # bytes, of an answer with its key: a larger one is not kept, as it would displace many
AROUND = 512  # bytes that an answer takes besides its key and its text
LONGEST = 60.0  # seconds, should a message ever fail to come

READ = prometheus_client.Counter(
    "hearth_gateway_shared_reads_total", "Reads of what may be shared, by where they were answered.", ["by"]
)
BY_GATEWAY, BY_SERVICE = READ.labels("gateway"), READ.labels("service")


class Shared:
    """The kept answers of a worker, and its ear on the bus."""

    def __init__(self, link: Link) -> None:
        self._refreshes = defaultdict[str, set[str]](set)  # views, by the keys of messages
        self._kept: OrderedDict[bytes, tuple[int, float, Written]] = OrderedDict()
        self._size = 0  # bytes
        self._changes = Counter[str]()  # of each view, how often its answers may have changed
        self._hearing = False
        link.serve(self)

    def refresh(self, view: str, messages: Iterable[Message]) -> None:
        """Keep answers of a view until one of these messages is heard. To be said before the link starts."""
        for message in messages:
            self._refreshes[message.key].add(view)

    def opened(self, connection: amqp.Connection) -> None:
        channel = connection.channel()
        queue = f"gateway.shared.{uuid.uuid4()}"
        channel.queue_declare(queue, exclusive=True, auto_delete=True)
        for key in self._refreshes:
            declare(connection, exchange_of(key))
            channel.queue_bind(queue, exchange_of(key), key)
        channel.basic_consume(queue, no_ack=True, callback=lambda heard: self._hear(heard.delivery_info["routing_key"]))
        self._hearing = True

    def lost(self) -> None:
        self._hearing = False
        self._changes.update(set().union(*self._refreshes.values()))
        self._kept.clear()
        self._size = 0

    def _hear(self, key: str) -> None:
        """Give no earlier answer of these views again; such answers leave with the oldest."""
        self._changes.update(self._refreshes[key])

    def get(self, view: str, key: bytes, ask: Callable[[], Any]) -> Written:
        """The kept answer of a view, or else what `ask` returns (a refusal that it raises is not kept)."""
        kept, before = self._kept.get(key), self._changes[view]
        if kept is not None and kept[0] == before and kept[1] > time.monotonic():
            BY_GATEWAY.inc()
            return kept[2]
        BY_SERVICE.inc()
        answer = Written.of(ask())
        if self._hearing and before == self._changes[view]:
            self._keep(key, before, answer)
        return answer

    def _keep(self, key: bytes, changes: int, answer: Written) -> None:
        self._drop(key)
        size = _size(key, answer)
        if size > LARGEST:
            return
        until = time.monotonic() + LONGEST
        self._kept[_fitted(key)] = (changes, until, replace(answer, body=_fitted(answer.body)))
        self._size += size
        while self._size > MOST:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: bytes) -> None:
        if (kept := self._kept.pop(key, None)) is not None:
            self._size -= _size(key, kept[2])


def shared(
    *, until: Sequence[Message], but_for: Collection[str], unless: dict[str, Any] | None = None
) -> Callable[[View], View]:
    """Keep answers that many read alike, until one of these messages is heard.

    Whoever has a role in `but_for` is always asked for anew, as they must see what they have just changed. So are
    queries with what `unless` says: each member gets another answer to them. Stands right around the call.
    """

    def decorator(view: View) -> View:
        name = view.__name__

        @wraps(view)
        def answer(*args: Any, **view_args: Any) -> Any:
            caller = g.get("caller")  # nobody has to sign in where everybody may read
            if (caller and caller.has(*but_for)) or (unless is not None and unless.items() <= args[0].items()):
                return view(*args, **view_args)
            kept: Shared = current_app.extensions["shared"]
            return kept.get(name, orjson.dumps([name, args, view_args]), lambda: view(*args, **view_args))

        answer.shared_until = until  # type: ignore[attr-defined]
        return answer

    return decorator


def _fitted(written: bytes) -> bytes:
    """The same in as much memory as it needs: what orjson returns holds on to 4 KB and more that it did not use."""
    return bytes(memoryview(written))


def _size(key: bytes, answer: Written) -> int:
    return len(key) + len(answer.body) + AROUND
