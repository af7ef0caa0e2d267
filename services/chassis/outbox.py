"""The outbox: sends the messages that ride in saved aggregates, at least once, in the order of each aggregate.

Every write kicks the relay, which posts with many confirms in flight and then takes the sent messages out. A sweep each
second finds what a crash or an absent broker left behind.
"""

import time
from typing import Any

import eventlet
import orjson
from eventlet.event import Event
from eventlet.queue import Empty, LightQueue
from nameko.extensions import SharedExtension
from pymongo import UpdateOne, WriteConcern
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from services.chassis import context, identifiers, metrics, tracing
from services.chassis.bus import PATIENCE, BusDown, Publisher, await_confirm
from services.chassis.logs import log
from services.contracts.catalogue import CONTENT_TYPE, Announcement, UndeclaredMessage, envelope, exchange_of

OUTBOX = "outbox"
UNSENT = "unsent"
WINDOW = 200  # aggregates whose messages are in flight together
SWEEP_EVERY = 1.0
Rows = Collection[dict[str, Any]]
Entry = tuple[Rows, str, list[dict[str, Any]]]


def pack(announcement: Announcement, by: str, sequence: int, id: str | None = None) -> dict[str, Any]:
    """The CloudEvent for an announcement, in the present piece of work; with a new id unless it has one.

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
        self._swept: list[Rows] = []
        self._suspects: set[tuple[str, str]] = set()
        self._seen: dict[str, dict[str, float]] = {}
        self._stopping = False

    def start(self) -> None:
        self._thread = self.container.spawn_managed_thread(self._run, identifier="relay")

    def stop(self) -> None:
        """Send what is known to be unsent, for at most PATIENCE; the rest is found by the next sweep of any process."""
        self._stopping = True
        self._kicked.put(None)
        with eventlet.Timeout(PATIENCE, False):
            self._thread.wait()

    def kill(self) -> None:
        self._stopping = True

    def sweeps(self, rows: Rows) -> None:
        """Also send what is found unsent in this collection."""
        self._swept.append(rows)

    def kick(self, rows: Rows, id: str, events: list[dict[str, Any]]) -> None:
        """An aggregate was just written with these messages in its outbox."""
        self._kicked.put((rows, id, events))

    def _run(self) -> None:
        swept_at = 0.0
        while not (self._stopping and self._kicked.empty()):
            batch = self._take()
            if time.monotonic() - swept_at >= SWEEP_EVERY:
                swept_at = time.monotonic()
                batch += self._sweep()
            try:
                self._send(batch)
            except (BusDown, PyMongoError) as error:
                log.warning("relay interrupted", error=str(error), aggregates=len(batch))
                eventlet.sleep(0.2)

    def _take(self) -> list[Entry]:
        batch = []
        try:
            batch.append(self._kicked.get(timeout=SWEEP_EVERY))
            while len(batch) < WINDOW:
                batch.append(self._kicked.get_nowait())
        except Empty:
            pass
        return [entry for entry in batch if entry is not None]

    def _sweep(self) -> list[Entry]:
        """What was unsent at two sweeps in a row: younger ones are being sent by whoever wrote them."""
        found: list[Entry] = []
        for rows in self._swept:
            try:
                found += [(rows, each["_id"], each.get(OUTBOX, [])) for each in self._unsent(rows)]
            except PyMongoError as error:
                log.warning("sweep failed", collection=rows.name, error=str(error))
        seen = {(rows.name, id) for rows, id, _ in found}
        due = [entry for entry in found if (entry[0].name, entry[1]) in self._suspects]
        self._suspects = seen
        return due

    def _unsent(self, rows: Rows) -> list[dict[str, Any]]:
        unsent = list(rows.find({UNSENT: True}, {OUTBOX: True}).limit(WINDOW))
        metrics.UNSENT.labels(rows.name).set(len(unsent))
        # By the first message, not its aggregate, which may always have some; and by when it was seen, not by when it
        # was told, which may be a day.
        before, now = self._seen.get(rows.name, {}), time.monotonic()
        first = [each[OUTBOX][0]["id"] for each in unsent if each.get(OUTBOX)]
        self._seen[rows.name] = seen = {id: before.get(id, now) for id in first}
        metrics.OLDEST.labels(rows.name).set(now - min(seen.values(), default=now))
        return unsent

    def _send(self, batch: list[Entry]) -> None:
        if not batch:
            return
        posted: list[tuple[Entry, list[Event]]] = []
        until, began = time.monotonic() + PATIENCE, time.time_ns()
        try:
            for entry in batch:
                posted.append((entry, [self._post(event) for event in entry[2]]))
        finally:
            self._settle(posted, until, began)

    def _post(self, event: dict[str, Any]) -> Event:
        key = event["type"]
        return self.publisher.post(exchange_of(key), key, orjson.dumps(event), content_type=CONTENT_TYPE)

    def _settle(self, posted: list[tuple[Entry, list[Event]]], until: float, began: int) -> None:
        sent: dict[str, tuple[Rows, list[Entry]]] = {}
        lost: BusDown | None = None
        for entry, confirms in posted:
            try:
                for confirm in confirms:
                    await_confirm(confirm, until)
                sent.setdefault(entry[0].name, (entry[0], []))[1].append(entry)
            except BusDown as down:
                lost = down
        for rows, entries in sent.values():
            _forget(rows, entries)
            for event in (event for _, _, events in entries for event in events):
                tracing.sent(event["type"], event.get(tracing.TRACEPARENT), began)
            metrics.SENT.labels(rows.name).inc(sum(len(events) for _, _, events in entries))
        if lost is not None:
            raise lost


def _forget(rows: Rows, entries: list[Entry]) -> None:
    """Take sent messages out of their aggregates; losing this write only repeats the same ids."""
    light = rows.with_options(write_concern=WriteConcern(w=1, j=False))
    whole = [
        UpdateOne(
            {
                "_id": id,
                OUTBOX: {"$size": len(events)},
                f"{OUTBOX}.id": {"$all": [event["id"] for event in events]},
            },
            {"$unset": {OUTBOX: "", UNSENT: ""}},
        )
        for _, id, events in entries
        if events
    ]
    if whole and light.bulk_write(whole, ordered=False).modified_count == len(entries):
        return
    for _, id, events in entries:
        light.update_one({"_id": id}, {"$pull": {OUTBOX: {"id": {"$in": [event["id"] for event in events]}}}})
        light.update_one({"_id": id, OUTBOX: []}, {"$unset": {OUTBOX: "", UNSENT: ""}})
