"""The outbox: sends the messages that ride in saved aggregates, at least once; `sequence` tells their order.

Every write kicks the relay, which posts messages with many confirms in flight. Sent messages are taken out of their
aggregates, many in one write. A sweep each second finds the messages that a crash or an absent broker left behind.
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import Any, NamedTuple

import eventlet
import orjson
from eventlet.event import Event
from eventlet.queue import Empty, LightQueue
from nameko.extensions import SharedExtension
from pymongo import WriteConcern
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from services.chassis import context, metrics
from services.chassis.bus import PATIENCE, BusDown, Publisher, await_confirm
from services.contracts.catalogue import CONTENT_TYPE, Announcement, UndeclaredMessage, envelope, exchange_of
from services.ground import clock, identifiers, logs, tracing
from services.ground.absence import Absence
from services.ground.logs import log
from services.ground.work import TRACEPARENT

OUTBOX = "outbox"
UNSENT = "unsent"
WINDOW = 200  # aggregates whose messages are in flight together; twice as many while a backlog is sent
SWEEP_EVERY = 1.0
TIDY_EVERY = 0.2
TIDIED = 50  # aggregates in one write, which compares each with the messages of all
UNTIDY = 50_000  # sent messages that may wait to be taken out while a backlog is sent: some 100 bytes each
MOST_KICKED = 2_000  # aggregates that wait to be sent, each of some 20 KB at most: the sweep finds the others
Message = dict[str, Any]
Documents = Collection[dict[str, Any]]


class Unsent(NamedTuple):
    """The messages that ride, or rode, in one aggregate."""

    documents: Documents
    id: str
    messages: list[Message]


Posted = list[tuple[Unsent, list[Event]]]


class Sent(NamedTuple):
    """The ids of messages that are safe, and still in their aggregate."""

    documents: Documents
    id: str
    messages: list[str]


def pack(announcement: Announcement, by: str, sequence: int, id: str | None = None) -> Message:
    """The CloudEvent for an announcement, in the present piece of work, with a new id unless one is given.

    Only its publisher may announce a message.
    """
    if announcement.message.by != by:
        raise UndeclaredMessage(f"{announcement.message.key} belongs to {announcement.message.by}, not to {by}")
    return envelope(
        announcement,
        id=id or identifiers.new_id(announcement.at),
        sequence=sequence,
        correlation_id=context.correlation_id(),
        causation_id=context.causation_id(),
        traceparent=tracing.traceparent(),
    )


class Relay(SharedExtension):
    """Sends what one capability's aggregates announce."""

    publisher = Publisher()

    def __init__(self) -> None:
        super().__init__()
        self._kicked: LightQueue = LightQueue()
        self._swept: list[Documents] = []
        self._seen: dict[str, dict[str, float]] = {}
        self._sent: deque[Sent] = deque()
        self._untidy: set[str] = set()  # the ids of all messages in `_sent`
        self._stopping = self._streaming = self._tidying = False
        self._absence = Absence("relay interrupted", "relay goes on")

    def start(self) -> None:
        self._thread = self.container.spawn_managed_thread(self._run, identifier="relay")

    def stop(self) -> None:
        """Send what is known to be unsent, for at most PATIENCE. The next sweep of any process finds the rest."""
        self._stopping = True
        self._kicked.put(None)
        with eventlet.Timeout(PATIENCE, False):
            self._thread.wait()
            while self._tidying:
                eventlet.sleep(0.02)

    def kill(self) -> None:
        self._stopping = True

    def sweeps(self, documents: Documents) -> None:
        """Also sweep these documents for unsent messages."""
        self._swept.append(documents)

    def kick(self, documents: Documents, id: str, messages: list[Message]) -> None:
        """Send these messages, which were just saved in the aggregate `id`."""
        if self._kicked.qsize() < MOST_KICKED:
            self._kicked.put(Unsent(documents, id, messages))

    def _run(self) -> None:
        swept_at = 0.0
        while not (self._stopping and self._kicked.empty()):
            try:
                self._send([self._take(timeout=SWEEP_EVERY)])
                # Not while much is to be tidied: a sweep would find it again.
                if time.monotonic() - swept_at >= SWEEP_EVERY and len(self._sent) < WINDOW:
                    swept_at = time.monotonic()
                    for documents in self._swept:
                        self._sweep(documents)
                    self._absence.ended()
            except (BusDown, PyMongoError) as error:
                self._absence.missed(error)
                eventlet.sleep(0.2)

    def _take(self, timeout: float) -> list[Unsent]:
        """What was just saved, at most a window."""
        batch = []
        try:
            batch.append(self._kicked.get(timeout=timeout))
            while len(batch) < WINDOW:
                batch.append(self._kicked.get_nowait())
        except Empty:
            pass
        return [each for each in batch if each is not None]

    def _sweep(self, documents: Documents) -> None:
        """Send what was unsent at two sweeps in a row. The process that wrote a younger message is still sending it.

        If a whole window is unsent, the sweep sends all; what was just saved is sent in between and need not wait.
        """
        with documents.find({UNSENT: True}, {OUTBOX: True}).batch_size(WINDOW) as found:
            unsent = (Unsent(documents, each["_id"], each.get(OUTBOX, [])) for each in found)
            first = list(islice(unsent, WINDOW))
            due = self._left_behind(documents, first)
            backlog = _windows(unsent) if due and len(first) == WINDOW else ()
            try:
                self._streaming = bool(backlog)
                self._send([due])
                self._send(self._take(timeout=0) + window for window in backlog)
            finally:
                self._streaming = False

    def _left_behind(self, documents: Documents, unsent: list[Unsent]) -> list[Unsent]:
        unsent = [each for each in unsent if not self._known(each)]
        metrics.UNSENT.labels(documents.name).set(len(unsent))
        # Age is measured by the first message, as an aggregate may always have some, and from when we first saw it, as
        # its own time may be a bare day.
        before, now = self._seen.get(documents.name, {}), time.monotonic()
        first = [each.messages[0]["id"] for each in unsent if each.messages]
        self._seen[documents.name] = seen = {id: before.get(id, now) for id in first}
        metrics.OLDEST.labels(documents.name).set(now - min(seen.values(), default=now))
        return [each for each in unsent if not each.messages or each.messages[0]["id"] in before]

    def _known(self, unsent: Unsent) -> bool:
        return bool(unsent.messages) and all(message["id"] in self._untidy for message in unsent.messages)

    def _send(self, batches: Iterable[list[Unsent]]) -> None:
        """Post each batch before awaiting the confirms of the previous one."""
        posted: Posted = []
        began = clock.unmoved_ns()
        for batch in batches:
            now = clock.unmoved_ns()
            following = [(unsent, [self._gather(each) for each in unsent.messages]) for unsent in batch]
            self.publisher.flush()
            self._settle(posted, began)
            posted, began = following, now
        self._settle(posted, began)

    def _gather(self, message: Message) -> Event:
        key = message["type"]
        return self.publisher.gather(exchange_of(key), key, orjson.dumps(message), content_type=CONTENT_TYPE)

    def _settle(self, posted: Posted, began: int) -> None:
        until = time.monotonic() + PATIENCE
        lost: BusDown | None = None
        for unsent, confirms in posted:
            try:
                for confirm in confirms:
                    await_confirm(confirm, until)
                self._keep(unsent, began)
            except BusDown as down:
                lost = down
        if self._sent and not self._tidying:
            self._tidying = True
            self.container.spawn_managed_thread(self._tidy, identifier="tidier")
        if lost is not None:
            raise lost

    def _keep(self, unsent: Unsent, began: int) -> None:
        ids = [message["id"] for message in unsent.messages]
        self._sent.append(Sent(unsent.documents, unsent.id, ids))
        self._untidy.update(ids)
        for message in unsent.messages:
            tracing.sent(message["type"], message.get(TRACEPARENT), began)
        metrics.SENT.labels(unsent.documents.name).inc(len(ids))

    def _tidy(self) -> None:
        while self._sent:
            if not self._streaming or len(self._sent) >= UNTIDY:
                self._tidy_up()
            eventlet.sleep(TIDY_EVERY)
        self._tidying = False

    def _tidy_up(self) -> None:
        """Take sent messages out of their aggregates. If this is lost, they are only sent again under the same ids."""
        try:
            while self._sent:
                _forget(some := _of_one_collection(islice(self._sent, TIDIED)))
                for _ in some:
                    self._untidy.difference_update(self._sent.popleft().messages)
        except PyMongoError as error:
            log.warning("not tidied yet", messages=len(self._untidy), error=logs.kind(error))


def _windows(unsent: Iterator[Unsent]) -> Iterator[list[Unsent]]:
    while window := list(islice(unsent, WINDOW)):
        yield window


def _of_one_collection(sent: Iterable[Sent]) -> list[Sent]:
    """The first of them that belong to the same collection."""
    return list(next(groupby(sent, key=lambda each: each.documents.name))[1])


def _forget(sent: list[Sent]) -> None:
    documents = sent[0].documents.with_options(write_concern=WriteConcern(w=1, j=False))
    ids, messages = list({each.id for each in sent}), [id for each in sent for id in each.messages]
    of_these, whole = {"_id": {"$in": ids}}, {"$unset": {OUTBOX: "", UNSENT: ""}}
    nothing_else = {OUTBOX: {"$not": {"$elemMatch": {"id": {"$nin": messages}}}}}
    if documents.update_many(of_these | nothing_else, whole).matched_count < len(ids):
        documents.update_many(of_these, {"$pull": {OUTBOX: {"id": {"$in": messages}}}})
        documents.update_many(of_these | {OUTBOX: []}, whole)
