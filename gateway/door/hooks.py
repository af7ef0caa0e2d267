"""Surrounds every request with its correlation id, deadline, limits, headers, log line and metrics."""

import functools
import re
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from flask import Flask, Response, current_app, g, request
from flask_cors import CORS
from prometheus_client import Counter, Histogram, disable_created_metrics
from werkzeug.exceptions import RequestEntityTooLarge

from services.ground import logs, tracing
from services.ground.logs import log
from services.ground.work import Facts, Work

LARGEST_BODY = 64 * 1024

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]

disable_created_metrics()  # type: ignore[no-untyped-call]  # the time of a route's first request must not be shown

REQUESTS = Counter("hearth_http_requests_total", "Requests answered.", ["method", "route", "status"])
SECONDS = Histogram("hearth_http_seconds", "Time until the answer began.", ["method", "route"])

ALWAYS = {
    "x-content-type-options": ("X-Content-Type-Options", "nosniff"),
    "referrer-policy": ("Referrer-Policy", "no-referrer"),
    "content-security-policy": ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    "cross-origin-resource-policy": ("Cross-Origin-Resource-Policy", "same-origin"),
    "cache-control": ("Cache-Control", "no-store"),
}
ENCRYPTED = ("Strict-Transport-Security", "max-age=31536000")
_IS_CORRELATION_ID = re.compile(r"[A-Za-z0-9._-]{1,64}").fullmatch


def begin() -> None:
    """Name the request, so that its log lines and messages can be found, and set its deadline."""
    g.began = began = time.monotonic()
    g.until = began + current_app.config["REQUEST_TIMEOUT"]
    given = request.environ.get("HTTP_X_REQUEST_ID")
    g.correlation_id = named = given if given and _IS_CORRELATION_ID(given) else secrets.token_hex(16)
    logs.about({"correlation_id": named})  # set for each request: a greenlet serves a connection, so many requests
    if "CONTENT_LENGTH" in request.environ and (request.content_length or 0) > LARGEST_BODY:
        raise RequestEntityTooLarge


def arrived() -> None:
    """The body has arrived. The request's time limit begins again now."""
    g.until = time.monotonic() + current_app.config["REQUEST_TIMEOUT"]


def finish(answer: Response) -> Response:
    """Name the answer, log it and count it. Neither the caller nor any content is written."""
    answer.headers["X-Request-ID"] = g.correlation_id
    took = time.monotonic() - g.began
    rule = request.url_rule
    method = request.method if rule else "-"  # otherwise a client could invent any number of methods
    route = rule.rule if rule else "unknown"
    counter, histogram = _metrics(method, route, answer.status_code)
    counter.inc()
    histogram.observe(took)
    if tracing.on():
        _tell_trace(method, route, answer.status_code)
    log.info("request", method=method, route=route, status=answer.status_code, ms=round(took * 1000, 1))
    return answer


@functools.cache  # few: only declared names get here, never a client's text
def _metrics(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, route, status), SECONDS.labels(method, route)


def install_cors(app: Flask, origins: Sequence[str]) -> None:
    """Allow requests from pages of these origins. They identify the caller with a token, never with a cookie."""
    if origins:
        given = ["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "Last-Event-ID"]
        given += ["X-Request-ID", "traceparent"]
        told = ["ETag", "Link", "Location", "Retry-After", "Deprecation", "Sunset", "X-Request-ID"]
        told += ["Content-Disposition", "Content-Language"]
        CORS(
            app,
            origins=list(origins),
            allow_headers=given,
            expose_headers=told,
            max_age=600,
        )
        app.after_request(_varied)


def _varied(answer: Response) -> Response:
    """The answer, marked as one that depends on the asking page's origin, for caches."""
    answer.vary.add("Origin")
    return answer


def _tell_trace(method: str, route: str, status: int) -> None:
    facts: Facts = {"http.request.method": method, "http.route": route, "http.response.status_code": status}
    failed = str(status) if status >= 500 else None
    tracing.tell({**facts, "hearth.correlation_id": g.correlation_id}, name=f"{method} {route}", failed=failed)


def _traced(wsgi_app: Wsgi) -> Wsgi:
    """The application with a span around each request until its answer begins, in the client's trace."""

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with tracing.joining(Work("request", "server", environ.get("HTTP_TRACEPARENT"), {})):
            return wsgi_app(environ, start_response)

    return answer


def _secured(wsgi_app: Wsgi) -> Wsgi:
    """The application with the headers in ALWAYS, which an answer may override."""

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *failure: Any) -> Any:
            given = {name.lower() for name, _ in headers}
            headers += [header for name, header in ALWAYS.items() if name not in given]
            if environ["wsgi.url_scheme"] == "https":
                headers.append(ENCRYPTED)
            return start_response(status, headers, *failure)

        return wsgi_app(environ, start)

    return answer


def install(app: Flask) -> None:
    """Put these around every request of the application. They must be the first hooks."""
    app.wsgi_app = _secured(app.wsgi_app)  # type: ignore[assignment,method-assign]
    if tracing.on():
        app.wsgi_app = _traced(app.wsgi_app)  # type: ignore[assignment,method-assign]
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY + 1  # a body of unknown length is cut there, not refused
    app.before_request(begin)
    app.after_request(finish)
