"""Lists as spreadsheets: CSV (RFC 4180) with a row per item, as a person reads it.

The head of a column is in words. An id stands beside the name of its person. A moment is a date and a time as
spreadsheets know them, and the head says on whose clock. A list or a part of an item is plain text.
"""

import csv
import io
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any, NamedTuple

import gevent
from flask import Response, current_app, g, request, stream_with_context
from marshmallow import Schema, fields

from gateway.answers import JSON, is_short
from gateway.door import languages
from services.contracts import wording
from services.contracts.errors import TooMany
from services.contracts.shapes.parts import Id, Moment

CSV = "text/csv"
ROWS_A_CALL = 100
PART = 64 * 1024  # characters
NUMBERS = (fields.Integer, fields.Float)

# A spreadsheet would run a text that begins like this, also after a character that it takes for a separator. The
# pattern reads a run of separators and spaces once, from its first character (`?<!`) to its last (`*+`), and never
# goes back.
_before_formula = re.compile(
    r"(?:^|(?<![\s;,])[^\S\t\r\n]*+[;,\t\r\n])[\s;,]*+(?=[=+\-@＝＋－＠])",
)

Page = dict[str, Any]
Writer = Callable[[Any], str]


class Column(NamedTuple):
    """A column: its head, the way to its value in an item, and how the value is written."""

    head: str
    path: tuple[str, ...]
    write: Writer


def wants_sheet() -> bool:
    """True if the caller prefers a spreadsheet to JSON."""
    return is_short("Accept") and request.accept_mimetypes.best_match([JSON, CSV], default=JSON) == CSV


def sheet(item: Schema, page: Callable[..., Page], cursor: str | None) -> Response:
    """All pages from the cursor on as CSV, one row per item. A byte order mark shows that it is UTF-8.

    Moments are those of the reader's clock; of the hub's, for a reader who has chosen no zone. What may be a day stays
    in UTC.
    `page` is asked for a page with `limit` and `cursor`: for the first at once, so that a refusal is an answer.
    """
    current_app.extensions["at_once"].begin("sheet", g.caller.id)
    first = page(limit=ROWS_A_CALL, cursor=cursor)
    columns = sorted(columns_of(item, wording.clock_of(languages.zone())), key=lambda each: each.path != ("id",))
    answer = Response(stream_with_context(_lines(columns, first, page)), content_type=f"{CSV}; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{request.path.rpartition("/")[2]}.csv"'
    answer.vary.add("Accept")
    return answer


def columns_of(shape: Schema, zone: tzinfo, before: str = "", path: tuple[str, ...] = ()) -> Iterator[Column]:
    """The columns of an item, read in a zone. Each field of a nested part has its own."""
    for name, field in shape.fields.items():
        head, way = before + _head(name, field, zone), (*path, name)
        if isinstance(field, fields.Nested):
            yield from columns_of(field.schema, zone, f"{head}: ", way)
        else:
            yield Column(head, way, _writer(field, zone))


def _head(name: str, field: fields.Field[Any], zone: tzinfo) -> str:
    """The head of a column in words: `Host ID` for `host_id`, `Host` for `host_name`."""
    words = str(field.metadata.get("column", name.removesuffix("_name").removesuffix("_id").replace("_", " ")))
    if isinstance(field, Id):
        words = "ID" if words == "id" else f"{words} ID"
    elif isinstance(field, Moment):
        words = f"{words} ({getattr(_clock(field, zone), 'key', 'UTC')})"
    return words[0].upper() + words[1:]


def _writer(field: fields.Field[Any], zone: tzinfo) -> Writer:
    if isinstance(field, NUMBERS):
        return _number
    plain = _plain_writer(field, zone)
    return lambda value: shown(plain(value))


def _plain_writer(field: fields.Field[Any], zone: tzinfo) -> Writer:
    """How the values of a field become text."""
    if isinstance(field, Moment):
        return partial(_time, _clock(field, zone))
    if isinstance(field, fields.List) and isinstance(field.inner, fields.Nested):
        return partial(_items, list(columns_of(field.inner.schema, zone)))
    return _text


def _clock(field: Moment, zone: tzinfo) -> tzinfo:
    return UTC if field.universal else zone


def _lines(columns: list[Column], found: Page, page: Callable[..., Page]) -> Iterator[str]:
    yield "\ufeff" + _line([column.head for column in columns])
    while True:
        yield from _parts(columns, found["items"])
        if not found["next"]:
            return
        _take_turn()
        found = page(limit=ROWS_A_CALL, cursor=found["next"])


def _parts(columns: list[Column], items: list[Any]) -> Iterator[str]:
    """The rows, joined into parts that are large enough for a write each."""
    rows, size = list[str](), 0
    for item in items:
        rows.append(_line([column.write(_at(item, column.path)) for column in columns]))
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


def _at(row: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        row = row.get(name) if row is not None else None
    return row


def _time(zone: tzinfo, value: str | None) -> str:
    """A moment as spreadsheets know one, on the clocks of a zone. One that these can't show says that it is UTC."""
    if value is None:
        return ""
    moment = datetime.fromisoformat(value)
    shown = wording.on_the_clock(moment, zone)
    said = shown.replace(tzinfo=None).isoformat(" ", "seconds")
    return said if shown.tzinfo is zone or zone is UTC else f"{said} UTC"


def _number(value: float | None) -> str:
    return "" if value is None else str(value)


def _items(columns: list[Column], value: list[Any] | None) -> str:
    """Things of a list, one a line: `By ID: …; By: Hanna; Text: …`."""
    return "\n".join(
        "; ".join(f"{column.head}: {column.write(_at(each, column.path))}" for column in columns)
        for each in value or ()
    )


def _text(value: Any, between: str = "; ") -> str:
    """A value as plain text; `between` stands between the items of a list."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "; ".join(f"{name.replace('_', ' ')}: {_text(each, ', ')}" for name, each in value.items())
    return between.join(map(_text, value)) if isinstance(value, list) else str(value)


def shown(text: str) -> str:
    """The text with a mark wherever a spreadsheet would run what follows, so that it is shown instead."""
    return _before_formula.sub(r"\g<0>'", text)


def _line(cells: list[str]) -> str:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerow(cells)
    return written.getvalue()
