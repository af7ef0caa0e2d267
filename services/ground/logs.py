"""Logs: one line an occurrence, JSON by default, with the correlation id of the request that caused it on each.

A line names an error's kind and place, and leaves out its words. Those may hold secrets: pymongo's errors quote whole
documents, a parser's errors quote the input, and errors about an address quote its password. Our own errors may be
`Plain`; then their words are shown.
"""

import logging
import re
import sys
import threading
from collections.abc import MutableMapping
from contextvars import ContextVar
from pathlib import Path
from traceback import walk_tb
from types import TracebackType
from typing import Any

import orjson
import structlog

from services.ground import clock

Line = MutableMapping[str, Any]
Failure = tuple[type[BaseException], BaseException, TracebackType | None]

ROOT = f"{Path(__file__).parents[2]}/"
OURS = ("services/", "gateway/", "deploy/", "tests/")
FRAMES, CAUSES = 30, 5  # places told of each error, the innermost ones, and errors told of one chain, at most

_about: ContextVar[dict[str, Any]] = ContextVar("about")


def about(facts: dict[str, Any]) -> None:
    """Add these facts to each line of the present piece of work, from here on."""
    _about.set(facts)


def known() -> dict[str, Any]:
    """The facts on each line of the present piece of work."""
    return _about.get({})


class Plain(Exception):
    """An error whose words are all ours. They quote nothing that was sent or set, so logs may show them."""


_is_word = re.compile(r"[a-z][a-z0-9_]{0,60}").fullmatch


def kind(error: BaseException) -> str:
    """The kind of an error: its class, its code if it has one, and its words if it is Plain."""
    name = type(error).__name__
    if isinstance(error, Plain):
        return f"{name}: {error}"
    code = getattr(error, "code", None) or getattr(error, "errno", None)
    return f"{name} {code}" if isinstance(code, int) or (isinstance(code, str) and _is_word(code)) else name


def where(error: BaseException) -> str:
    """The place that raised an error: the innermost in our code, else the innermost. Empty if it was never raised."""
    places = _places(error)
    return next((place for place in reversed(places) if place.startswith(OURS)), places[-1] if places else "")


def _places(error: BaseException) -> list[str]:
    return [
        f"{_short(frame.f_code.co_filename)}:{line} {frame.f_code.co_name}"
        for frame, line in walk_tb(error.__traceback__)
    ]


def _short(path: str) -> str:
    return path.removeprefix(ROOT).rpartition("site-packages/")[2]


def _told(failure: Failure) -> str:
    """The kinds and places of an error and of its causes."""
    found: list[str] = []
    error: BaseException | None = failure[1]
    while error is not None and len(found) < CAUSES:
        found.append("\n  ".join([kind(error), *_places(error)[-FRAMES:]]))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nbecause of ".join(found)


_tell_failure = structlog.processors.ExceptionRenderer(_told)  # type: ignore[arg-type]


def _spare(record: logging.LogRecord) -> bool:
    """Replace the errors in a library's line by their kinds. Returns True, so that the line is logged."""
    if isinstance(record.msg, BaseException):
        record.msg = kind(record.msg)
    if isinstance(record.args, tuple):
        record.args = tuple(kind(each) if isinstance(each, BaseException) else each for each in record.args)
    return True


def uncaught(failure: Failure) -> None:
    """Log an uncaught error."""
    log.critical("uncaught", exc_info=failure)


def _watch_for_uncaught() -> None:
    def of_process(*failure: Any) -> None:
        uncaught(failure)  # type: ignore[arg-type]

    def of_thread(given: threading.ExceptHookArgs) -> None:
        if given.exc_value is not None:
            uncaught((given.exc_type, given.exc_value, given.exc_traceback))

    sys.excepthook, threading.excepthook = of_process, of_thread


def configure(process: str, level: str = "INFO", form: str = "json") -> None:
    """Send structlog and the standard library's logging to stdout. `form` is `json` or `text`."""

    def complete(_logger: Any, method: str, line: Line) -> Line:
        now = clock.exact().isoformat(timespec="microseconds").replace("+00:00", "Z")
        complete = {"process": process, **known(), **line, "level": method, "at": now}
        return _tell_failure(_logger, method, complete) if "exc_info" in line else complete

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
    handler.addFilter(_spare)
    _watch_for_uncaught()
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.getLevelNamesMapping()[level], logging.WARNING))


def _json(_logger: Any, _method: str, line: Line) -> bytes:
    return orjson.dumps(line, default=str)


def _decoded(_logger: Any, _method: str, line: bytes) -> str:
    return line.decode()


log = structlog.get_logger()
