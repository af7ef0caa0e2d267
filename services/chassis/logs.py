"""Logs: one line an occurrence, JSON by default, with the correlation id of the request that caused it on each."""

import logging
import sys
from typing import Any

import orjson
import structlog
from structlog.contextvars import merge_contextvars


def configure(process: str, level: str = "INFO", form: str = "json") -> None:
    """Send structlog and the standard library's logging to stdout. `form` is `json` or `text`."""
    shared: list[structlog.typing.Processor] = [
        merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        lambda _logger, _name, line: {"process": process, **line},
    ]
    rendered: structlog.typing.Processor = structlog.dev.ConsoleRenderer(colors=False)
    if form == "json":
        rendered = structlog.processors.JSONRenderer(serializer=_json)
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, rendered],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                rendered,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.getLevelNamesMapping()[level], logging.WARNING))


def _json(line: Any, **kwargs: Any) -> str:
    return orjson.dumps(line, default=kwargs.get("default", str)).decode()


log = structlog.get_logger()
