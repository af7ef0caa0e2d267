"""Writes answers: as JSON or a spreadsheet, with an ETag and the way to the next page, compressed.

An ETag (RFC 9110, section 8.8.3) is the version of the thing shown and a digest of its JSON. For a list and other
answers without a version it is the digest alone, and weak.
"""

import csv
import gzip
import hashlib
import io
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any
from urllib.parse import urlencode

import gevent
import orjson
from flask import Flask, Response, current_app, g, request, stream_with_context
from marshmallow import Schema, fields

from gateway.door import languages
from services.contracts import wording
from services.contracts.errors import TooMany
from services.contracts.shapes.parts import Moment

JSON = "application/json"
CSV = "text/csv"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
WORTH_PRESSING = 1024  # bytes
ROWS_A_CALL = 100
PART = 64 * 1024  # characters
PRESSED = "-gzip"

# A spreadsheet would run a text that begins like this, also after a character that it takes for a separator. The
# pattern reads a run of separators and spaces once, from its first character (`?<!`) to its last (`*+`), and never
# goes back.
_before_formula = re.compile(
    r"(?:^|(?<![\s;,])[^\S\t\r\n]*+[;,\t\r\n])[\s;,]*+(?=[=+\-@＝＋－＠])",
)
_strong_tags = re.compile(rf'(?<!W/)"(\d{{1,12}})-[0-9a-f]{{16}}(?:{PRESSED})?"').findall

Page = dict[str, Any]


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
    if safe and len(body) >= WORTH_PRESSING and _is_short("Accept-Encoding") and request.accept_encodings["gzip"]:
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


def wants_sheet() -> bool:
    """True if the caller prefers a spreadsheet to JSON."""
    return _is_short("Accept") and request.accept_mimetypes.best_match([JSON, CSV], default=JSON) == CSV


def _is_short(header: str) -> bool:
    """True if a header is short enough to look into. Reading a long one costs the square of its length."""
    return len(request.headers.get(header, "")) <= languages.LONGEST_WISH


def sheet(item: Schema, page: Callable[..., Page], cursor: str | None) -> Response:
    """All pages from the cursor on as CSV (RFC 4180), one row per item. A byte order mark shows that it is UTF-8.

    Moments are those of the reader's clock, as RFC 3339 with its offset; of the hub's, for a reader who has
    chosen no zone. What may be a day stays in UTC.
    `page` is asked for a page with `limit` and `cursor`: for the first at once, so that a refusal is an answer.
    """
    current_app.extensions["at_once"].begin("sheet", g.caller.id)
    first = page(limit=ROWS_A_CALL, cursor=cursor)
    answer = Response(stream_with_context(_lines(_columns(item), first, page)), content_type=f"{CSV}; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{request.path.rpartition("/")[2]}.csv"'
    answer.vary.add("Accept")
    return answer


def _lines(columns: dict[str, fields.Field[Any]], found: Page, page: Callable[..., Page]) -> Iterator[str]:
    clock = wording.clock_of(languages.zone())
    writers = {
        name: partial(_time, clock) if isinstance(field, Moment) and not field.universal else _cell
        for name, field in columns.items()
    }
    yield "\ufeff" + _line(list(columns))
    while True:
        yield from _parts(writers, found["items"])
        if not found["next"]:
            return
        _take_turn()
        found = page(limit=ROWS_A_CALL, cursor=found["next"])


def _parts(writers: Mapping[str, Callable[[Any], str]], items: list[Any]) -> Iterator[str]:
    """The rows, joined into parts that are large enough for a write each."""
    rows, size = list[str](), 0
    for item in items:
        rows.append(_line([write(_at(item, column)) for column, write in writers.items()]))
        size += len(rows[-1])
        gevent.sleep(0)  # other requests get their turn after each row
        if size > PART:
            yield "".join(rows)
            rows, size = [], 0
    yield "".join(rows)


def _take_turn() -> None:
    """Count a page as a request of the member and give it a request's time. At the limit, wait instead of refusing."""
    try:
        current_app.extensions["rates"].count("member", g.caller.id)
    except TooMany as refusal:
        gevent.sleep(refusal.after)
    g.until = time.monotonic() + current_app.config["REQUEST_TIMEOUT"]


def _columns(shape: Schema, before: str = "") -> dict[str, fields.Field[Any]]:
    """The fields of an item by the names of their columns. A nested field's column is `parent.name`."""
    found: dict[str, fields.Field[Any]] = {}
    for name, field in shape.fields.items():
        if isinstance(field, fields.Nested):
            found |= _columns(field.schema, f"{before}{name}.")
        else:
            found[before + name] = field
    return found


def _at(row: Any, column: str) -> Any:
    for name in column.split("."):
        row = row.get(name) if row is not None else None
    return row


def _time(zone: tzinfo, value: str | None) -> str:
    if value is None or zone is UTC:
        return value or ""
    return wording.on_the_clock(datetime.fromisoformat(value), zone).isoformat(timespec="milliseconds")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        value = "; ".join(value)
    if not isinstance(value, str):
        return orjson.dumps(value).decode()
    return _before_formula.sub(r"\g<0>'", value)


def _line(cells: list[str]) -> str:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerow(cells)
    return written.getvalue()


def expect() -> None:
    """Before each request: read the versions that a change builds on (`If-Match`), for the service that makes it."""
    g.expected_versions = None
    given = request.environ.get("HTTP_IF_MATCH")
    if given is None or given.strip() == "*" or request.endpoint is None:
        return
    if getattr(current_app.view_functions[request.endpoint], "takes_if_match", False):
        g.expected_versions = ",".join(_strong_tags(given))


def install(app: Flask) -> None:
    """Read the conditions of all requests to the application."""
    app.before_request(expect)
