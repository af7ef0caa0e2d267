"""Traces: a span for each request, call and message, where OTEL_EXPORTER_OTLP_ENDPOINT says whom to tell.

Off, which is the default, nothing of OpenTelemetry is imported. A trace travels as W3C's `traceparent`: in HTTP and in
the headers of calls, and in messages as the attribute of CloudEvents' distributed tracing extension.
"""

import importlib
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from services.ground.work import Facts, Work

_nothing: AbstractContextManager[None] = nullcontext()
_spans: Any = None  # services.ground.spans.Spans, once tracing is on


def configure(process: str, endpoint: str) -> None:
    """Tell the collector at `endpoint` what this process does from now on; nobody if it is empty."""
    global _spans  # noqa: PLW0603 - like logging, it is one a process
    if endpoint:
        _spans = importlib.import_module("services.ground.spans").Spans(process)


def on() -> bool:
    """Whether anybody is told."""
    return _spans is not None


def joining(work: Work) -> AbstractContextManager[None]:
    """The span of a piece of work, for as long as the block lasts."""
    return _nothing if _spans is None else _spans.joining(work)


def asking(name: str, facts: Facts) -> AbstractContextManager[None]:
    """The span of a question to somebody else, within the present one."""
    return _nothing if _spans is None else _spans.asking(name, facts)


def traceparent() -> str | None:
    """How others join the present span; None where there is none."""
    return None if _spans is None else _spans.traceparent()


def tell(facts: Facts, *, name: str | None = None, failed: str | None = None) -> None:
    """Add to the present span what is known of it only now: its `name`, facts, how it failed."""
    if _spans is not None:
        _spans.tell(facts, name, failed)


def sent(key: str, parent: str | None, began: int) -> None:
    """Tell that a message is now safe, of the trace `parent`. `began` is in Unix nanoseconds."""
    if _spans is not None and parent:
        _spans.sent(key, parent, began)


def leave() -> None:
    """Tell the last of it: the process stops."""
    if _spans is not None:
        _spans.leave()


def unlink() -> None:
    """Let nothing that follows in this piece of work belong to the present trace."""
    if _spans is not None:
        _spans.unlink()
