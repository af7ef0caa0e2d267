"""One table turns a refusal into HTTP: problem documents (RFC 9457), also for the framework's own refusals."""

from typing import Any

import orjson
from flask import Flask, Response, g, request
from gunicorn.http.errors import NoMoreData, ParseException  # type: ignore[import-untyped]
from marshmallow import fields
from werkzeug.exceptions import BadRequest, HTTPException, RequestTimeout
from werkzeug.http import HTTP_STATUS_CODES

from services.contracts.errors import (
    Conflict,
    Forbidden,
    Hidden,
    Invalid,
    NotFound,
    NotYet,
    Refusal,
    Stale,
    TooMany,
    Unauthenticated,
    Unavailable,
    Unexpected,
)
from services.contracts.shapes.parts import Shape
from services.ground.logs import log

MEDIA_TYPE = "application/problem+json"
MOST_ERRORS = 20

STATUS: dict[type[Refusal], int] = {
    Invalid: 422,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Hidden: 404,
    Conflict: 409,
    Stale: 412,
    TooMany: 429,
    Unavailable: 503,
    NotYet: 503,
    Unexpected: 500,
}
HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 429: {"Retry-After": "1"}, 503: {"Retry-After": "1"}}
SENTENCES = {
    400: "The request can't be read. Its body must be one JSON document in UTF-8 that names no field twice.",
    404: "There is nothing at this address. The page /docs lists all addresses.",
    405: "What is at this address does not take this method. The header Allow says which it takes.",
    408: "The request did not arrive in time. Please send it again.",
    413: "The body may have at most 64 KiB. Send less.",
    414: "The address is too long. Ask for less in one request.",
    415: "The body must be JSON, sent as application/json.",
    417: "Nothing can be expected of this address. Leave out the header Expect.",
    431: "The headers are too long. Send fewer or shorter ones.",
    500: "Something went wrong on our side. Please try again later.",
    501: "The body is sent in a way that is not known here. Send it with Content-Length, or in chunks.",
}


class Late(ParseException):  # type: ignore[misc]
    """A request did not arrive completely in time."""


class FieldError(Shape):
    """One field at fault."""

    field = fields.String(required=True, metadata={"description": "Dotted path.", "example": "audience.roles.0"})
    says = fields.String(
        required=True, metadata={"description": "What would be right.", "example": "Name at least one role or tag."}
    )


class Problem(Shape):
    """Why a request was refused (RFC 9457)."""

    type = fields.String(required=True, metadata={"example": "urn:hearth:problem:invalid"})
    title = fields.String(required=True, metadata={"example": "Unprocessable Entity"})
    status = fields.Integer(required=True, metadata={"example": 422})
    detail = fields.String(
        required=True,
        metadata={"description": "A sentence for people.", "example": "title: Write 4 to 140 characters."},
    )
    code = fields.String(required=True, metadata={"description": "A stable word for programs.", "example": "invalid"})
    instance = fields.String(
        metadata={
            "description": "Names this request, unless it could not be read; it is in our logs, too.",
            "example": "urn:hearth:request:4f1c2a9d",
        }
    )
    errors = fields.List(fields.Nested(FieldError), metadata={"description": "The fields at fault, if any are."})


def problem(status: int, code: str, detail: str, errors: list[dict[str, str]] | None = None) -> Response:
    """A problem document as an answer."""
    g.problem = code
    body = _document(status, code, detail)
    if "correlation_id" in g:
        body["instance"] = f"urn:hearth:request:{g.correlation_id}"
    if errors:
        body["errors"] = errors[:MOST_ERRORS]
    return Response(orjson.dumps(body), status, HEADERS.get(status), content_type=MEDIA_TYPE)


def unread(status: int, reason: str) -> bytes:
    """The whole answer to a request that the server refuses before the application sees it."""
    code = reason.lower().replace(" ", "_")
    body = orjson.dumps(_document(status, code, SENTENCES.get(status, reason + ".")) | {"title": reason})
    head = f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: {MEDIA_TYPE}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in HEADERS.get(status, {}).items())
    return f"{head}Cache-Control: no-store\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def word(status: int) -> str:
    """The code of a status without a refusal of ours. (The name is werkzeug's: those in `http` change with Python.)"""
    return HTTP_STATUS_CODES[status].lower().replace(" ", "_")


def _document(status: int, code: str, detail: str) -> dict[str, Any]:
    title = HTTP_STATUS_CODES[status]
    return {"type": f"urn:hearth:problem:{code}", "title": title, "status": status, "detail": detail, "code": code}


def refused(refusal: Refusal) -> Response:
    """The answer to a refusal by a service or by the gateway itself."""
    g.hidden = isinstance(refusal, Hidden)
    answer = problem(STATUS[type(refusal)], refusal.code, refusal.says, refusal.fields)
    if refusal.after:
        answer.headers["Retry-After"] = str(refusal.after)
    return answer


def failed(error: HTTPException) -> Response:
    """The answer to a refusal by the framework (unknown address, wrong method, unreadable body …)."""
    status = error.code or 500
    answer = problem(status, word(status), SENTENCES.get(status, HTTP_STATUS_CODES[status] + "."))
    answer.headers.extend((name, value) for name, value in error.get_headers() if name != "Content-Type")
    return answer


def broken(_error: Exception) -> Response:
    """The answer to a body that ends early or has malformed chunks."""
    return failed(BadRequest())


def late(_error: Late) -> Response:
    """The answer to a body that does not arrive in time."""
    return failed(RequestTimeout())


def unexpected(_error: Exception) -> Response:
    """The answer to a fault of ours. Only the log has the traceback."""
    log.exception("unexpected", route=request.url_rule.rule if request.url_rule else None)
    return problem(500, "unexpected", SENTENCES[500])


def install(app: Flask) -> None:
    """Answer every refusal and failure of the application with a problem document."""
    app.register_error_handler(Refusal, refused)
    app.register_error_handler(HTTPException, failed)
    app.register_error_handler(Late, late)
    app.register_error_handler(ParseException, broken)
    app.register_error_handler(NoMoreData, broken)
    app.register_error_handler(Exception, unexpected)
