"""The schedule: `@due` does the work that a document plans for a moment, `@every` does work again and again.

The plan is a field of the document, so saving the document plans the work, moves it, or drops it (None) in the same
write. Any number of processes may look for due work. One of them takes a row by moving its moment on, by a lease. If
the process dies or the handler fails, the row falls due again, later each time, and is never lost. The handler saves
the document without the plan. That save takes effect only once, because it names the version that was read.
"""

import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import eventlet
from eventlet.event import Event
from nameko.extensions import Entrypoint
from pymongo import ReturnDocument
from pymongo.errors import PyMongoError

from services.chassis import metrics
from services.chassis.rows import HIDDEN, TAKEN, Document, Rows, database, is_absent, once
from services.chassis.rpc import Calls
from services.contracts.errors import Conflict
from services.ground import clock, logs
from services.ground.absence import Absence
from services.ground.logs import log
from services.ground.settings import RETRY_DELAYS
from services.ground.work import Work

Handler = TypeVar("Handler", bound=Callable[..., Any])
LOOK_EVERY = 1.0  # seconds
AT_ONCE = 100  # rows


class NotIndexed(Exception):
    """A field that plans work has no index, so that each look would read every row. A programming error."""


def tries(row: Mapping[str, Any], by: str) -> tuple[datetime, int]:
    """The moment for which the field `by` planned a row, and how often it was tried. A new plan begins anew."""
    taken = row.get(TAKEN, {}).get(by)
    return (taken["since"], taken["times"]) if taken and taken["until"] == row[by] else (row[by], 0)


class Agenda:
    """The work that one field of a collection plans. `only` bounds it to a few rows, which an index leads to.

    `leases` are the seconds of the first try, the second, and so on; after them the row falls due again.
    """

    def __init__(
        self, store: Rows[Any], by: str, *, only: Mapping[str, Any] | None = None, leases: Sequence[int]
    ) -> None:
        if not only and not any(next(iter(index.document["key"])) == by for index in store.indexes):
            raise NotIndexed(f"{store.collection} needs an index of {by}")
        self._rows, self._by, self._only, self._leases = store.documents, by, dict(only or {}), leases

    def look(self, now: datetime) -> tuple[list[Document], float]:
        """The rows that are due, oldest first, and the age in seconds of the oldest unfulfilled plan.

        A row that was tried and waits for its next try is not due. Its age counts from its plan.
        """
        tried_by = now + timedelta(seconds=max(self._leases))
        wanted = {**self._only, self._by: {"$lte": tried_by}}
        found = list(self._rows.find(wanted, {self._by: True, TAKEN: True}).sort(self._by, 1).limit(AT_ONCE))
        ages = [(now - tries(row, self._by)[0]).total_seconds() for row in found]
        return [row for row in found if row[self._by] <= now], max([0.0, *ages])

    def take(self, row: Document, now: datetime) -> Document | None:
        """Take a row for a while, if it is still planned for the moment that was seen. Returns it as it is now.

        Returns None when another process has taken it, or when it was planned anew.
        """
        since, times = tries(row, self._by)
        until = now + timedelta(seconds=self._leases[min(times, len(self._leases) - 1)])
        taken = {"until": until, "since": since, "times": times + 1}
        return self._rows.find_one_and_update(
            {"_id": row["_id"], self._by: row[self._by]},
            {"$set": {self._by: until, f"{TAKEN}.{self._by}": taken}},
            HIDDEN,
            return_document=ReturnDocument.AFTER,
        )

    def plan(self, row: Document, at: datetime) -> None:
        """Move a taken row to another moment, unless it was planned anew meanwhile."""
        self._rows.update_one({"_id": row["_id"], self._by: row[self._by]}, {"$set": {self._by: at}})


class Planned(Entrypoint):
    """An entrypoint that looks for its work by the clock, from start to stop."""

    calls = Calls()  # so that a capability that does nothing else can be pinged, too

    def start(self) -> None:
        self.name = f"{self.container.service_name}.{self.method_name}"
        self._agenda, self._stopping = self.agenda(), Event()
        self._facts = {"hearth.work": self.name}
        self._thread = self.container.spawn_managed_thread(self._run, identifier=f"schedule of {self.name}")

    def stop(self) -> None:
        """Finish the piece of work that has begun. Another process finds what else is due."""
        self._halt()
        self._thread.wait()

    def kill(self) -> None:
        self._halt()

    def agenda(self) -> Agenda:
        """The agenda in which the work is planned."""
        raise NotImplementedError

    def arguments(self, row: Document) -> dict[str, Any]:
        """The arguments of the method, for this row."""
        raise NotImplementedError

    def done(self, row: Document) -> None:
        """Note that the method has returned."""

    def _halt(self) -> None:
        if not self._stopping.ready():
            self._stopping.send(None)

    def _run(self) -> None:
        absence = Absence("schedule not seen", "schedule seen again", work=self.name)
        while not self._stopping.ready():
            more = False
            try:
                more = self._look()
                absence.ended()
            except PyMongoError as error:
                absence.missed(error)
            if not more:
                with eventlet.Timeout(LOOK_EVERY, False):
                    self._stopping.wait()

    def _look(self) -> bool:
        """Do the work that is due. Returns True if there may be more."""
        due, oldest = self._agenda.look(clock.now())
        metrics.OVERDUE.labels(self.name).set(oldest)
        for row in due:
            taken = None if self._stopping.ready() else self._agenda.take(row, clock.now())
            if taken is not None and eventlet.spawn(self._work, taken).wait():  # each in a context of its own
                self.done(taken)
        return len(due) == AT_ONCE

    def _work(self, row: Document) -> bool:
        failures: list[Exception | None] = []
        self.container.work(
            self,
            self.arguments(row),
            context_data={
                "correlation_id": None,
                "log": {"work": self.name},
                "traced": Work(f"process {self.name}", "consumer", None, self._facts),
            },
            then=partial(self._finish, failures, time.monotonic()),
        )
        return failures == [None]

    def _finish(self, failures: list[Exception | None], begun: float, _result: Any, error: Exception | None) -> None:
        failures.append(error)
        metrics.DUE.labels(self.name, type(error).__name__ if error else "ok").inc()
        if error is None:
            log.info("done when due", work=self.name, ms=round((time.monotonic() - begun) * 1000, 1))
        elif isinstance(error, Conflict) or is_absent(error):
            log.warning("due again later", work=self.name, error=logs.kind(error))
        else:
            log.error("failed, due again later", work=self.name, exc_info=error)


class Due(Planned):
    """The entrypoint behind `@due`: one handler for the work that one field of a store's aggregates plans."""

    def __init__(self, store: str, *, by: str, **kwargs: Any) -> None:
        self._store, self._by = store, by
        super().__init__(**kwargs)

    def agenda(self) -> Agenda:
        method = getattr(self.container.service_cls, self.method_name)
        _self, self._takes = inspect.signature(method).parameters
        (found,) = (each for each in self.container.dependencies if each.attr_name == self._store)
        return Agenda(found.store, self._by, leases=self.container.config["settings"].retry_delays or RETRY_DELAYS)

    def arguments(self, row: Document) -> dict[str, Any]:
        return {self._takes: row}


class Leases(Rows[Document]):
    """The moment at which each regular work falls due, by its name."""

    collection = "leases"

    def keep(self, name: str, now: datetime) -> None:
        """Plan a work for now, unless it is planned already."""
        once(self.rows, {"_id": name, "due_at": now})


class Every(Planned):
    """The entrypoint behind `@every`: one of all processes does the work, and again after a pause."""

    def __init__(self, pause: timedelta, *, within: timedelta, **kwargs: Any) -> None:
        self._every, self._within = pause, within
        super().__init__(**kwargs)

    def agenda(self) -> Agenda:
        service = self.container.service_name.partition(".")[0]
        self._leases, self._kept = Leases(database(self.container.config["settings"], service), service), False
        within = int(self._within.total_seconds())
        return Agenda(self._leases, "due_at", only={"_id": self.name}, leases=(within,))

    def arguments(self, row: Document) -> dict[str, Any]:
        return {}

    def done(self, row: Document) -> None:
        self._agenda.plan(row, clock.now() + self._every)

    def _look(self) -> bool:
        if not self._kept:  # the store may be away when the process starts
            self._leases.keep(self.name, clock.now())
            self._kept = True
        return super()._look()


def due(store: str, *, by: str) -> Callable[[Handler], Handler]:
    """Have a method handle each aggregate of a store (its name in the capability) when the moment in `by` has come.

    The method is called with the aggregate, and saves it without the plan (None) or with a new one. While the plan is
    there, the method is called again, later each time.
    """
    decorate: Callable[[Handler], Handler] = Due.decorator(store, by=by)
    return decorate


def every(pause: timedelta, *, within: timedelta) -> Callable[[Handler], Handler]:
    """Have one process at a time call a method again and again. Each call should take no longer than `within`.

    If the method fails or its process dies, it is called again after `within`.
    """
    decorate: Callable[[Handler], Handler] = Every.decorator(pause, within=within)
    return decorate
