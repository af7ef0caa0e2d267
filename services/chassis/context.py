"""The context of a piece of work: the request that began it and the message that caused it."""

import uuid
from contextvars import ContextVar
from typing import Any

from services.ground import logs, tracing

_expected: ContextVar[frozenset[int] | None] = ContextVar("expected", default=None)
_asked_for: ContextVar[tuple[str, str] | None] = ContextVar("asked_for", default=None)
_unlinked: ContextVar[bool] = ContextVar("unlinked", default=False)


def begin(correlation_id: str | None, *, expected: frozenset[int] | None = None, **more: Any) -> None:
    """Start a piece of work: every log line and outgoing message from here on carries the correlation id.

    `expected` are the versions that the caller named, if any: the changed aggregate must still have one of them.
    """
    _expected.set(expected)
    _asked_for.set(None)
    _unlinked.set(False)
    logs.about({"correlation_id": correlation_id or str(uuid.uuid4()), **more})


def unlink() -> None:
    """Cut the work off from the request that began it, so that what is saved can't be traced to the caller."""
    begin(None)
    _unlinked.set(True)
    tracing.unlink()


def unlinked() -> bool:
    """True if the present piece of work was cut off from its request."""
    return _unlinked.get()


def ask_for(collection: str, id: str) -> None:
    """Name the one aggregate that the caller has seen: the expected versions are versions of it."""
    _asked_for.set((collection, id))


def expected_versions(collection: str, id: str) -> frozenset[int] | None:
    """The versions of this aggregate on which the caller's change builds; None if any will do.

    If the work has named no aggregate, each one is compared: refusing too much is safer than refusing too little.
    """
    return _expected.get() if _asked_for.get() in (None, (collection, id)) else None


def saved(collection: str, id: str) -> None:
    """Note that the caller's change of the aggregate is saved, so that the same work may save it again."""
    if _asked_for.get() == (collection, id):
        _expected.set(None)


def correlation_id() -> str:
    """The correlation id of the present piece of work; a fresh one outside any work."""
    return str(logs.known().get("correlation_id") or uuid.uuid4())


def causation_id() -> str | None:
    """The id of the message that is being handled, or None."""
    found = logs.known().get("message_id")
    return str(found) if found else None
