"""The work for any input grows about linearly: four times the size costs four times the work. It holds up no others."""

import csv
import io
import json
import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from gunicorn.config import Config as Settings
from gunicorn.http.errors import LimitRequestHeaders

from gateway import answers, sheets
from gateway.worker import LARGEST_HEAD, RequestParser
from services.chassis import cursors
from services.contracts.errors import Invalid
from services.notifications.fanout import domain as fanout
from tests.gateway.played import PlayedServices
from tests.rig.cost import QUADRATIC, growth

EVENT = "/v1/events/018f2d70-1c3b-7b52-8d0e-3a9f5c6b7d81"
BODY = 65_000  # bytes
HEADER = 8_000
QUERY = 3_900
TEXT = 4_000  # characters, of a voice
WELL_BELOW = QUADRATIC / 2

Make = Callable[[int], Any]


def field(path: str, value: Make) -> Make:
    """A body in which the field at a dotted path has a value that is made of a size."""

    def make(size: int) -> bytes:
        made = value(size)
        for name in reversed(path.split(".")):
            made = {name: made}
        return json.dumps(made, ensure_ascii=False).encode()

    return make


BODIES: dict[str, tuple[str, Make]] = {
    "many keys": ("feedback", lambda size: json.dumps({f"{number:x}": 0 for number in range(size // 11)}).encode()),
    "lists in lists": ("feedback", lambda size: b"[" * (size // 2) + b"]" * (size // 2)),
    "objects in objects": ("feedback", lambda size: b'{"a":' * (size // 6) + b"1" + b"}" * (size // 6)),
    "a long number": ("feedback", lambda size: b'{"text":' + b"9" * size + b"}"),
    "a long fraction": ("feedback", lambda size: b'{"text":0.' + b"9" * size + b"}"),
    "escapes": ("feedback", lambda size: b'{"text":"' + b"\\n" * (size // 2) + b'"}'),
    "text of spaces": ("feedback", field("text", lambda size: " " * size + "x")),
    "text of control characters": ("feedback", field("text", lambda size: "x" * size + "\x7f")),
    "a tag of spaces": ("events", field("audience.tags", lambda size: ["a " * (size // 2)])),
    "many wrong tags": ("events", field("audience.tags", lambda size: [0] * (size // 3))),
    "many wrong roles": ("events", field("audience.roles", lambda size: ["x"] * (size // 5))),
    "many wrong languages": ("members", field("languages", lambda size: [0] * (size // 3))),
    "dots in an address": ("events", field("link", lambda size: "http://" + "a." * (size // 2))),
    "hyphens in an address": ("events", field("link", lambda size: "http://" + "a-" * (size // 2) + ".")),
    "a name in an address": ("events", field("link", lambda size: "http://" + "a:%20" * (size // 5))),
    "a scheme of its own": ("events", field("link", lambda size: "a.-+" * (size // 4) + "://")),
    "an open bracket": ("events", field("link", lambda size: "http://[" + ":" * size)),
    "a path of strokes": ("events", field("link", lambda size: "http://a.bc/" + "/" * size + " ")),
    "dots in a mailbox": ("invitations", field("email", lambda size: "a." * (size // 2) + "@b")),
    "dots in a mail domain": ("invitations", field("email", lambda size: "a@" + "b." * (size // 2))),
    "hyphens in a mail domain": ("invitations", field("email", lambda size: "a@" + "b-" * (size // 2) + ".")),
    "a quoted mailbox": ("invitations", field("email", lambda size: '"' + "\\\\" * (size // 4) + "@b.cc")),
    "a moment of digits": ("events", field("starts_at", lambda size: "2027-03-01T09:00:00." + "0" * size)),
    "a long code": ("feedback/claims", field("claim_code", lambda size: "a" * size)),
    "a long password": ("sessions", field("password", lambda size: "a" * size)),
    "a long refresh token": ("sessions/refresh", field("refresh_token", lambda size: "." * size)),
}


@pytest.mark.parametrize(("path", "make"), BODIES.values(), ids=BODIES)
def test_a_body(client: FlaskClient, services: PlayedServices, bearer: dict[str, str], path: str, make: Make) -> None:
    services.answers["submit"] = {"id": "1"}
    bodies = {size: make(size) for size in (BODY // 4, BODY)}
    assert max(map(len, bodies.values())) <= 65_536
    headers = bearer | {"Content-Type": "application/json"}

    def post(size: int) -> None:
        assert client.post(f"/v1/{path}", data=bodies[size], headers=headers).status_code in (201, 400, 422)

    assert growth(post, BODY) < WELL_BELOW


HEADERS: dict[str, tuple[str, Make]] = {
    "wishes": ("Accept", lambda size: "a/b," * (size // 4)),
    "parameters of a wish": ("Accept", lambda size: "a/b" + ";a=b" * (size // 4)),
    "spaces in a wish": ("Accept", lambda size: "a" + " " * size + "x"),
    "quotes in a wish": ("Accept", lambda size: 'a/b;c="' + "\\a" * (size // 2)),
    "compressions": ("Accept-Encoding", lambda size: "a;q=0," * (size // 6)),
    "spaces in a compression": ("Accept-Encoding", lambda size: "a" + " " * size + "x"),
    "tags": ("If-None-Match", lambda size: '"a",' * (size // 4)),
    "commas in a tag": ("If-None-Match", lambda size: "," * size),
    "spaces in a tag": ("If-None-Match", lambda size: '"' + " " * size + "x"),
    "an unfinished tag": ("If-Match", lambda size: '"1-0' * (size // 4)),
    "versions": ("If-Match", lambda size: '"3-0123456789abcdef",' * (size // 21)),
    "a request id": ("X-Request-ID", lambda size: "a" * size),
    "a key": ("Idempotency-Key", lambda size: "a" * size),
    "parts of a token": ("Authorization", lambda size: "Bearer " + "a." * (size // 2)),
    "a long token": ("Authorization", lambda size: "Bearer " + "a" * size + ".b.c"),
    "a form of a body": ("Content-Type", lambda size: "application/json;" + " " * size + "x"),
    "parameters of a body": ("Content-Type", lambda size: "application/json" + ";a*0=b" * (size // 6)),
    "an origin": ("Origin", lambda size: "a." * (size // 2)),
    "a host": ("Host", lambda size: "a." * (size // 2)),
    "proxies": ("X-Forwarded-For", lambda size: ":," * (size // 2)),
    "a last event": ("Last-Event-ID", lambda size: "1-" * (size // 2)),
}


@pytest.mark.parametrize(("name", "make"), HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_header(
    client: FlaskClient, services: PlayedServices, bearer: dict[str, str], method: str, name: str, make: Make
) -> None:
    event = {"id": "1", "version": 1, "description": "x" * answers.WORTH_PRESSING}
    services.answers |= {"browse": {"items": [event], "next": None}, "change": event}
    path, body = ("/v1/events?status=draft", None) if method == "GET" else (EVENT, b'{"place": "P"}')

    def ask(size: int) -> None:
        headers = {"Content-Type": "application/json"} | bearer | {name: make(size)}
        assert client.open(path, method=method, headers=headers, data=body).status_code < 500

    assert growth(ask, HEADER) < WELL_BELOW


@pytest.mark.parametrize("name", [each for each in HEADERS if HEADERS[each][0] == "Accept-Encoding"])
def test_a_header_for_a_file_of_the_app(client: FlaskClient, name: str) -> None:
    header, make = HEADERS[name]

    def ask(size: int) -> None:
        assert client.get("/assets/none.js", headers={header: make(size)}).status_code == 404

    assert growth(ask, HEADER) < WELL_BELOW


QUERIES: dict[str, tuple[str, Make]] = {
    "names": ("events?", lambda size: "a&" * (size // 2)),
    "many names": ("events?", lambda size: "&".join(f"{number:x}=" for number in range(size // 5))),
    "one name": ("events?", lambda size: "limit=1&" * (size // 8)),
    "a long number": ("events?limit=", lambda size: "9" * size),
    "a cursor": ("events?cursor=", lambda size: "W1" * (size // 2)),
    "a tag of spaces": ("members?tag=", lambda size: "+a" * (size // 2)),
    "a path of strokes": ("", lambda size: "/" * size),
    "a path of parts": ("", lambda size: "a/" * (size // 2)),
    "a path of signs": ("", lambda size: "%2f" * (size // 3)),
}


@pytest.mark.parametrize(("path", "make"), QUERIES.values(), ids=QUERIES)
def test_an_address(
    client: FlaskClient, services: PlayedServices, bearer: dict[str, str], path: str, make: Make
) -> None:
    services.answers["browse"] = {"items": [], "next": None}

    def ask(size: int) -> None:
        assert client.get(f"/v1/{path}{make(size)}", headers=bearer).status_code < 500

    assert growth(ask, QUERY) < WELL_BELOW


TEXTS: dict[str, Make] = {
    "lines": lambda size: "a" + "\n" * (size - 2) + "b",
    "lines and spaces": lambda size: "a" + "\n " * (size // 2 - 1) + "b",
    "spaces": lambda size: "a" + " " * (size - 2) + "b",
    "commas": lambda size: ";," * (size // 2),
    "formulas": lambda size: "\t=" * (size // 2),
    "signs": lambda size: "=" * size,
    "quotes": lambda size: '"' * size,
}


@pytest.mark.parametrize("make", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize(
    "work",
    [
        lambda text: sheets._line([sheets.shown(text)]),
        lambda text: sheets.shown(sheets._text([text])),
        lambda text: fanout.facts(["text"], {"text": text}),
    ],
    ids=["a cell", "a cell of a list", "a voice in an inbox"],
)
def test_words_of_a_member(make: Make, work: Callable[[str], object]) -> None:
    many = {size: make(size) for size in (5 * TEXT, 20 * TEXT)}  # longer than any may be, so that it can be measured
    assert growth(lambda size: work(many[size]), 20 * TEXT) < WELL_BELOW


def test_a_cursor() -> None:
    def read(size: int) -> None:
        with pytest.raises(Invalid):
            cursors.read("W10" * (size // 3), str)

    assert growth(read, 20 * BODY) < WELL_BELOW


def test_a_head_that_comes_byte_by_byte_is_not_read_for_long() -> None:
    read: list[int] = []

    def bytes_of_a_head() -> Any:
        for number, octet in enumerate(b"GET / HTTP/1.1\r\n" + b"a: bbbbbbbbbbbb\r\n" * 10_000):
            read.append(number)
            yield bytes([octet])

    with pytest.raises(LimitRequestHeaders):
        next(RequestParser(Settings(), bytes_of_a_head(), ("127.0.0.1", 1)))
    assert len(read) <= LARGEST_HEAD + 100


def test_what_begins_a_formula_is_marked_as_ever() -> None:
    """The marks are the same as those of a pattern that is easy to read, but slow."""
    marked = re.compile(r"(^|[;,\t\r\n])(\s*)(?=[=+\-@＝＋－＠])")
    dice = random.Random(7)
    for _ in range(20_000):
        text = "".join(dice.choices(" \t\n\r;,=+-@＝a\u00a0\x0b", k=dice.randrange(12)))
        assert sheets.shown(text) == marked.sub(r"\1\2'", text), repr(text)
    assert next(csv.reader(io.StringIO(sheets._line([sheets.shown("=1")])))) == ["'=1"]
