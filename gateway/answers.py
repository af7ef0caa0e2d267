"""Writes answers: as JSON, with an ETag and the way to the next page, compressed. `sheets` writes spreadsheets.

An ETag (RFC 9110, section 8.8.3) is the version of the thing shown and a digest of its JSON. For a list and other
answers without a version it is the digest alone, and weak.
"""

import gzip
import hashlib
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson
from flask import Flask, Response, current_app, g, request

from gateway.door import languages

JSON = "application/json"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
WORTH_PRESSING = 1024  # bytes
PRESSED = "-gzip"

# A proxy that presses an answer makes its tag weak (nginx), or appends to it (Apache). Our tags name versions of
# things, whatever their bytes. So such a tag names the same version.
_versions = re.compile(r'(?:W/)?"(\d{1,12})-[0-9a-f]{16}(?:[-;][a-z]{1,8})?"').findall


@dataclass(frozen=True, slots=True)
class Written:
    """An answer in JSON, with the two facts needed to send it: its version, and the cursor of the next page."""

    body: bytes
    version: int | None
    next: str | None

    @classmethod
    def of(cls, result: Any) -> "Written":
        """The answer of a service."""
        named = result if isinstance(result, dict) else {}
        return cls(orjson.dumps(result), named.get("version"), named.get("next"))

    def read(self) -> Any:
        """The answer as Python values."""
        return orjson.loads(self.body)


def write(result: Any, status: int, headers: dict[str, str]) -> Response:
    """An answer in JSON. Only answers to GET are compressed, because others may hold secrets (BREACH)."""
    written = result if isinstance(result, Written) else Written.of(result)
    body, version = written.body, written.version
    safe = request.method in SAFE
    suffix = ""
    if safe and len(body) >= WORTH_PRESSING and takes("gzip"):
        body, suffix = gzip.compress(body, 5, mtime=0), PRESSED
        headers = headers | {"Content-Encoding": "gzip"}
    if version is not None or (safe and status == 200):
        said = hashlib.blake2b(body, digest_size=8).hexdigest() + suffix
        headers = headers | {"ETag": f'W/"{said}"' if version is None else f'"{version}-{said}"'}
    if not safe or status != 200:
        return Response(body, status, headers, content_type=JSON)
    headers["Vary"] = ", ".join(filter(None, (headers.get("Vary"), "Accept-Encoding")))
    if written.next:
        headers["Link"] = f'<{_next_page(written.next)}>; rel="next"'
    answer = Response(body, status, headers, content_type=JSON)
    if "HTTP_IF_NONE_MATCH" in request.environ:
        answer.make_conditional({**request.environ, "HTTP_IF_MATCH": ""})  # If-Match is for changes, see `expect`
    return answer


def _next_page(cursor: str) -> str:
    return f"{request.path}?{urlencode({**request.args, 'cursor': cursor})}"


def takes(encoding: str) -> bool:
    """True if the caller takes answers that are pressed so."""
    return is_short("Accept-Encoding") and bool(request.accept_encodings[encoding])


def is_short(header: str) -> bool:
    """True if a header is short enough to look into. Reading a long one costs the square of its length."""
    return len(request.headers.get(header, "")) <= languages.LONGEST_WISH


def expect() -> None:
    """Before each request: read the versions that a change builds on (`If-Match`), for the service that makes it."""
    g.expected_versions = None
    given = request.environ.get("HTTP_IF_MATCH")
    if given is None or given.strip() == "*" or request.endpoint is None:
        return
    if getattr(current_app.view_functions[request.endpoint], "takes_if_match", False):
        g.expected_versions = ",".join(_versions(given))


def install(app: Flask) -> None:
    """Read the conditions of all requests to the application."""
    app.before_request(expect)
