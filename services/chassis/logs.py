"""Logs: one line an occurrence, JSON by default, with the correlation id of the request that caused it on each."""

import logging
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog

Line = MutableMapping[str, Any]

_about: ContextVar[dict[str, Any]] = ContextVar("about")


def about(facts: dict[str, Any]) -> None:
    """What each line of the present piece of work says, from here on."""
    _about.set(facts)


def known() -> dict[str, Any]:
    """What each line of the present piece of work says."""
    return _about.get({})


def configure(process: str, level: str = "INFO", form: str = "json") -> None:
    """Send structlog and the standard library's logging to stdout. `form` is `json` or `text`."""

    def complete(_logger: Any, method: str, line: Line) -> Line:
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        complete = {"process": process, **known(), **line, "level": method, "at": now}
        return structlog.processors.format_exc_info(_logger, method, complete) if "exc_info" in line else complete

    text = structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[complete, _json if form == "json" else text],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer)
        if form == "json"
        else structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_log_level, complete],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *([_json, _decoded] if form == "json" else [text]),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.getLevelNamesMapping()[level], logging.WARNING))


def _json(_logger: Any, _method: str, line: Line) -> bytes:
    return orjson.dumps(line, default=str)


def _decoded(_logger: Any, _method: str, line: bytes) -> str:
    return line.decode()


log = structlog.get_logger()
