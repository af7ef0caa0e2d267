"""The store of a capability, as it is given it: prepared at the start, with a relay for its messages."""

import time
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pymongo
from nameko.extensions import DependencyProvider
from pymongo.errors import ConnectionFailure

from services.chassis.aggregates import Aggregates
from services.chassis.bus import Intake
from services.chassis.outbox import Relay
from services.chassis.rows import PATIENCE_MS, Rows, database
from services.ground.absence import Absence

Kind = TypeVar("Kind", bound=Rows[Any])

_store = Absence("store not there yet", "store there")


class Store(DependencyProvider, Generic[Kind]):
    """Gives a capability its store: `voices = Store(VoiceStore)`, prepared at start, with a relay for its messages.

    A capability may also be given the store of a `sibling` in its own service. The sibling relays its messages.
    """

    intake = Intake()
    relay = Relay()
    if TYPE_CHECKING:

        def __get__(self, instance: object, owner: type) -> Kind: ...

    def __init__(self, kind: type[Kind], *, sibling: bool = False) -> None:
        super().__init__()
        self._kind, self._sibling = kind, sibling

    def setup(self) -> None:
        service = self.container.service_name.partition(".")[0]
        self.store = self._kind(database(self.container.config["settings"], service), service, self.relay)
        self._prepare()
        self.intake.relies_on(self._ping)
        if isinstance(self.store, Aggregates) and self.store.announces and not self._sibling:
            self.relay.sweeps(self.store.rows)

    def _prepare(self) -> None:
        pause = 0.2
        while True:
            try:
                self.store.prepare()
            except ConnectionFailure as error:
                _store.missed(error)
                time.sleep(pause)
                pause = min(pause * 2, 5.0)
            else:
                return _store.ended()

    def _ping(self) -> None:
        with pymongo.timeout(PATIENCE_MS / 1000):
            self.store.rows.database.command("ping")

    def get_dependency(self, worker_ctx: Any) -> Kind:
        return self.store
