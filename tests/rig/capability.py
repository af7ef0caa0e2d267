"""One capability in this process: asked as the bus would ask it, on real stores, without a broker."""

from collections.abc import Callable
from contextvars import copy_context
from typing import Any

from nameko.extensions import DependencyProvider
from pymongo.errors import ServerSelectionTimeoutError

from services.chassis import context
from services.chassis.aggregates import Aggregates
from services.chassis.outbox import OUTBOX, UNSENT
from services.chassis.rows import Rows
from services.chassis.rpc import Rpc
from services.chassis.store import Store
from services.contracts.errors import Refusal
from services.ground import clock, identifiers
from services.ground.tokens import Caller
from tests.rig.refusals import REFUSALS

ASKED_AS = "asked-1"  # the correlation id of each call


def somebody(*roles: str, id: str | None = None, **more: Any) -> Caller:
    """A member who has just signed in with these roles."""
    now = clock.now()
    signed_in = now.timestamp()
    return Caller(id or identifiers.new_id(now), frozenset(roles), "session", signed_in, signed_in + 900, **more)


class Capability:
    """An instance of a service class with real stores. What it announces stays in their outboxes until it is `said`."""

    def __init__(self, kind: type, make_store: Callable[[type[Rows]], Rows], **others: Any) -> None:
        """`others` are what the capability depends on besides its stores, by name."""
        self._service, self._stores = kind(), dict[str, Rows]()
        for name, provider in vars(kind).items():
            if isinstance(provider, Store):
                self._stores[name] = make_store(provider._kind)
            elif isinstance(provider, DependencyProvider) and name not in others:
                raise TypeError(f"{kind.__name__} depends on {name}: say what it is given")
        for name, given in (self._stores | others).items():
            setattr(self._service, name, given)

    def __getattr__(self, method: str) -> Callable[..., Any]:
        """A method to call: `voices.submit(author, draft={...})`, `outcome(claim={...})` where nobody signs in."""
        entrypoints = getattr(getattr(self._service, method), "nameko_entrypoints", ())
        (rpc,) = (each for each in entrypoints if isinstance(each, Rpc))

        def call(caller: Caller | None = None, *, expected: set[int] | None = None, **given: Any) -> Any:
            """The answer, or a Refusal; `expected` are the versions that `If-Match` names."""
            arguments = rpc.asked.read(given) | ({"caller": caller} if caller else {})

            def work() -> Any:
                context.begin(ASKED_AS, expected=None if expected is None else frozenset(expected))
                return getattr(self._service, method)(**arguments)

            try:
                return copy_context().run(work)
            except Refusal as refusal:
                REFUSALS.raised(rpc.asked.operation, refusal)
                raise

        return call

    def do(self, method: str, *given: Any) -> None:
        """Have a method do its work as the schedule would."""

        def work() -> None:
            context.begin(ASKED_AS)
            getattr(self._service, method)(*given)

        copy_context().run(work)

    def store(self, name: str) -> Any:
        """One of its stores, by its name in the service."""
        return self._stores[name]

    def said(self) -> list[dict[str, Any]]:
        """The messages that were announced since the last time, each as it would be sent."""
        found: list[dict[str, Any]] = []
        for store in self._stores.values():
            if isinstance(store, Aggregates):
                for document in store.rows.find({UNSENT: True}).sort("_id", 1):
                    found += document[OUTBOX]
                store.rows.update_many({UNSENT: True}, {"$unset": {OUTBOX: True, UNSENT: True}})
        return found


class Away:
    """A collection in a store that can't be reached."""

    def find(self, *_query: Any) -> Any:
        raise ServerSelectionTimeoutError("nobody answers")
