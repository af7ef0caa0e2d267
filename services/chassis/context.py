"""What a piece of work is part of: the request that began it and the message that caused it."""

import uuid
from contextvars import ContextVar
from typing import Any

from services.ground import logs, tracing

_expected: ContextVar[frozenset[int] | None] = ContextVar("expected", default=None)
_unlinked: ContextVar[bool] = ContextVar("unlinked", default=False)


def begin(correlation_id: str | None, *, expected: frozenset[int] | None = None, **more: Any) -> None:
    """Start a piece of work: every log line and outgoing message from here on carries the correlation id.

    `expected` are the versions of which one must still be what is changed, if the caller named any.
    """
    _expected.set(expected)
    _unlinked.set(False)
    logs.about({"correlation_id": correlation_id or str(uuid.uuid4()), **more})


def unlink() -> None:
    """Cut the work off from the request that began it, so that what is saved cannot be traced to who asked."""
    begin(None)
    _unlinked.set(True)
    tracing.unlink()


def unlinked() -> bool:
    """Whether the present piece of work was cut off from its request."""
    return _unlinked.get()


def expected_versions() -> frozenset[int] | None:
    """The versions on which the caller's change builds; None where any will do."""
    return _expected.get()


def expectation_met() -> None:
    """The caller's change is saved; whatever else is saved for the same call builds on no version of theirs."""
    _expected.set(None)


def correlation_id() -> str:
    """The correlation id of the present piece of work; a fresh one outside of any."""
    return str(logs.known().get("correlation_id") or uuid.uuid4())


def causation_id() -> str | None:
    """The id of the message that is being handled, if one is."""
    found = logs.known().get("message_id")
    return str(found) if found else None
