"""Answers that are the same for many members. A worker keeps them until a message says that they may have changed.

A message refreshes only the views that name it. An answer is kept only if no such message came while it was on its way,
and only while the bus can be heard. Answers are kept as JSON, whose size is known, and together take at most MOST. So a
reader of many long pages can only make the gateway ask the service again.
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
from gateway.bus.link import Link, ear
from services.contracts.catalogue import Message, exchange_of

View = Callable[..., Any]

MOST = 16 * 1024 * 1024  # bytes of all kept answers
LARGEST = MOST // 16  # bytes of an answer with its key; a larger answer is not kept, as it would displace many
AROUND = 512  # bytes that an answer takes besides its key and its text
LONGEST = 60.0  # seconds that an answer is kept, in case a message fails to come

READ = prometheus_client.Counter(
    "hearth_gateway_shared_reads_total", "Reads of shared answers, by the place that answered.", ["by"]
)
BY_GATEWAY, BY_SERVICE = READ.labels("gateway"), READ.labels("service")


class Shared:
    """The kept answers of a worker, and its ear on the bus."""

    def __init__(self, link: Link) -> None:
        self._refreshes = defaultdict[str, set[str]](set)  # views, by the keys of messages
        self._kept: OrderedDict[bytes, tuple[int, float, Written]] = OrderedDict()
        self._size = 0  # bytes
        self._changes = Counter[str]()  # possible changes of a view's answers, counted per view
        self._hearing = False
        link.serve(self)

    def refresh(self, view: str, messages: Iterable[Message]) -> None:
        """Keep answers of a view until one of these messages is heard. Call this before the link starts."""
        for message in messages:
            self._refreshes[message.key].add(view)

    def opened(self, connection: amqp.Connection) -> None:
        keys = [(exchange_of(key), key) for key in self._refreshes]
        queue = f"gateway.shared.{uuid.uuid4()}"
        ear(connection, queue, keys, lambda heard: self._hear(heard.delivery_info["routing_key"]))
        self._hearing = True

    def lost(self) -> None:
        self._hearing = False
        self._changes.update(set().union(*self._refreshes.values()))
        self._kept.clear()
        self._size = 0

    def _hear(self, key: str) -> None:
        """Stop giving the present answers of these views. They are dropped later, oldest first."""
        self._changes.update(self._refreshes[key])

    def get(self, view: str, key: bytes, ask: Callable[[], Any]) -> Written:
        """The kept answer of a view, or else the result of `ask`. A refusal that it raises is not kept."""
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
    *, until: Sequence[Message], but_for: Collection[str], unless: Sequence[dict[str, Any]] = ()
) -> Callable[[View], View]:
    """Keep answers that are the same for many, until one of these messages is heard.

    For callers with a role in `but_for` the service is always asked, because they must see their own changes. It is
    also asked for queries that match one of `unless`, because their answer depends on the caller. Put this right around
    the call.
    """

    def decorator(view: View) -> View:
        name = view.__name__

        @wraps(view)
        def answer(*args: Any, **view_args: Any) -> Any:
            caller = g.get("caller")  # a public route has no caller
            if (caller and caller.has(*but_for)) or any(each.items() <= args[0].items() for each in unless):
                return view(*args, **view_args)
            kept: Shared = current_app.extensions["shared"]
            return kept.get(name, orjson.dumps([name, args, view_args]), lambda: view(*args, **view_args))

        answer.shared_until = until  # type: ignore[attr-defined]
        return answer

    return decorator


def _fitted(written: bytes) -> bytes:
    """A copy that takes only the memory it needs. The bytes from orjson may hold 4 KB or more of unused memory."""
    return bytes(memoryview(written))


def _size(key: bytes, answer: Written) -> int:
    return len(key) + len(answer.body) + AROUND
