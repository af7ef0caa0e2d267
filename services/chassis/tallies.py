"""Tallies: counts by name that end at a moment, for limits that need not be exact to the last one.

Counting costs the store next to nothing: a process counts in memory, and once a second it adds its counts to the store
and learns what other processes have counted. Several processes may pass a limit together within that second. A crash
loses a second of counting, which harms nobody.
"""

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pymongo import IndexModel, ReturnDocument
from pymongo.errors import PyMongoError

from services.chassis.rows import RENEWABLE, Document, Rows
from services.ground import clock
from services.ground.absence import Absence

WRITTEN_EVERY = 1.0  # seconds


class Tallies(Rows[Document]):
    """Counts by name, `{_id, count, ends_at}`. The store deletes them an hour after they ended."""

    indexes = (IndexModel([("ends_at", 1)], expireAfterSeconds=3600),)
    write_concern = RENEWABLE

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._known: dict[str, int] = {}
        self._unwritten: dict[str, int] = {}
        self._ends: dict[str, datetime] = {}
        self._lock, self._writing = threading.Lock(), False
        self._absence = Absence("counts not in step with the store", "counts in step again")

    def count(self, name: str, ends_at: datetime, *others: str) -> int:
        """Count one more. Returns the count with it, plus the counts of `others`, as far as this process knows."""
        with self._lock:
            for each in (name, *others):
                self._ends[each] = ends_at
            self._add(name, 1)
            return sum(self._known.get(each, 0) for each in (name, *others))

    def uncount(self, name: str) -> None:
        """Take one back, which should not have been counted."""
        with self._lock:
            self._add(name, -1)

    def _add(self, name: str, more: int) -> None:
        self._known[name] = self._known.get(name, 0) + more
        self._unwritten[name] = self._unwritten.get(name, 0) + more
        if not self._writing:
            self._writing = True
            writer = threading.Timer(WRITTEN_EVERY, self._write)
            writer.daemon = True
            writer.start()

    def _write(self) -> None:
        """Add the new counts to the store, and learn all counts that have not ended."""
        with self._lock:
            unwritten, self._unwritten, self._writing = self._unwritten, {}, False
            ends = dict(self._ends)
        for name, more in unwritten.items():
            try:
                self._learn(name, self._added(name, more, ends[name]))
            except PyMongoError as error:
                self._absence.missed(error)
                with self._lock:
                    self._known[name] -= more
                    self._add(name, more)
        self._learn_others([name for name in ends if name not in unwritten])
        self._forget(clock.now())

    def _learn_others(self, names: list[str]) -> None:
        """Learn counts that were asked about, not counted here. Those that can't be read now are learnt next time."""
        try:
            for found in self.rows.find({"_id": {"$in": names}}) if names else ():
                self._learn(found["_id"], found)
            self._absence.ended()
        except PyMongoError as error:
            self._absence.missed(error)

    def _added(self, name: str, more: int, ends_at: datetime) -> Mapping[str, Any]:
        update = {"$inc": {"count": more}, "$setOnInsert": {"ends_at": ends_at}}
        found: Mapping[str, Any] = self.rows.find_one_and_update(
            {"_id": name}, update, upsert=True, return_document=ReturnDocument.AFTER
        )
        return found

    def _learn(self, name: str, found: Mapping[str, Any]) -> None:
        with self._lock:
            self._known[name] = int(found["count"]) + self._unwritten.get(name, 0)

    def _forget(self, now: datetime) -> None:
        with self._lock:
            for name in [name for name, ends_at in self._ends.items() if ends_at <= now]:
                if name not in self._unwritten:
                    del self._ends[name]
                    self._known.pop(name, None)
