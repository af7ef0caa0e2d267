"""Traces: a span for each request, call and message. OTEL_EXPORTER_OTLP_ENDPOINT names the collector that gets them.

Tracing is off by default; OpenTelemetry is then not imported. A trace travels as W3C's `traceparent`: in HTTP and in
the headers of calls, and in messages as the attribute of CloudEvents' distributed tracing extension.
"""

import importlib
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from services.ground.work import Facts, Work

_nothing: AbstractContextManager[None] = nullcontext()
_spans: Any = None  # services.ground.spans.Spans, once tracing is on


def configure(process: str, endpoint: str) -> None:
    """Send the spans of this process to the collector at `endpoint` from now on; an empty one leaves tracing off."""
    global _spans  # noqa: PLW0603 - like logging, it is one a process
    if endpoint:
        _spans = importlib.import_module("services.ground.spans").Spans(process)


def on() -> bool:
    """True if tracing is on."""
    return _spans is not None


def joining(work: Work) -> AbstractContextManager[None]:
    """The span of a piece of work, for as long as the block lasts."""
    return _nothing if _spans is None else _spans.joining(work)


def asking(name: str, facts: Facts) -> AbstractContextManager[None]:
    """The span of a question to somebody else, within the present one."""
    return _nothing if _spans is None else _spans.asking(name, facts)


def traceparent() -> str | None:
    """The `traceparent` by which others join the present span; None without one."""
    return None if _spans is None else _spans.traceparent()


def tell(facts: Facts, *, name: str | None = None, failed: str | None = None) -> None:
    """Add to the present span what became known during it: its `name`, facts, or how it `failed`."""
    if _spans is not None:
        _spans.tell(facts, name, failed)


def sent(key: str, parent: str | None, began: int) -> None:
    """Record that the broker has a message safe, in the trace `parent`. `began` is in Unix nanoseconds."""
    if _spans is not None and parent:
        _spans.sent(key, parent, began)


def leave() -> None:
    """Send the last spans, as the process stops."""
    if _spans is not None:
        _spans.leave()


def unlink() -> None:
    """Cut the rest of this piece of work off from the present trace."""
    if _spans is not None:
        _spans.unlink()
