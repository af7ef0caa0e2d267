"""Abusive requests: bodies that each operation must refuse, and octets that are hardly HTTP."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

SOME_ID = "018f2d6e-5b7c-7a3e-9c41-0f2b6d7e8a90"
MEGABYTE = 1_000_000
DEEP = 10_000
CHUNK = 10_000


@dataclass
class Request:
    """An abusive request, and what is wrong with it."""

    wrong: str
    method: str
    path: str
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


def requests_of(document: dict[str, Any]) -> Iterator[Request]:
    """To each operation of an OpenAPI document that takes a body, each kind of abuse."""
    for path, item in document["paths"].items():
        shared = item.get("parameters", [])
        for method, operation in item.items():
            if method == "parameters" or "requestBody" not in operation:
                continue
            address = path
            for parameter in [*shared, *operation.get("parameters", [])]:
                if parameter.get("in") == "path":
                    address = address.replace(f"{{{parameter['name']}}}", SOME_ID)
            for wrong, body in _bodies(_properties(document, operation)):
                yield Request(wrong, method.upper(), address, body, {"Content-Type": "application/json"})
            for type in ("", "text/plain", "application/xml", "multipart/form-data; boundary=x", "a/b; " + "c" * 1_000):
                yield Request(f"sent as {type[:20]!r}", method.upper(), address, b"{}", {"Content-Type": type})
            bomb = gzip.compress(b" " * 20 * MEGABYTE)
            packed = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
            yield Request("a bomb", method.upper(), address, bomb, packed)


def _properties(document: dict[str, Any], operation: dict[str, Any]) -> list[str]:
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return list(schema["properties"])


def _bodies(names: list[str]) -> Iterator[tuple[str, Any]]:
    def every(value: Any) -> bytes:
        return json.dumps(dict.fromkeys(names, value)).encode()

    large = b'{"text": "' + b"x" * 2 * MEGABYTE + b'"}'
    yield "2 MB", large
    yield "2 MB in chunks", lambda: (large[start : start + CHUNK] for start in range(0, len(large), CHUNK))
    yield "lists in lists", b"[" * DEEP + b"]" * DEEP
    yield "lists without end", b"[" * DEEP
    yield "objects in objects", b'{"a":' * DEEP + b"1" + b"}" * DEEP
    for operator in ({"$gt": ""}, {"$ne": None}, {"$where": "while (true) {}"}, {"$regex": "(a+)+$"}):
        yield f"the operator {next(iter(operator))}", every(operator)
    yield "a script", b'{"$where": "while (true) {}"}'
    yield "dotted keys", json.dumps({f"{name}.x": "a" for name in names}).encode()
    yield "its class", b'{"__class__": {"__init__": {"__globals__": {}}}, "__proto__": {"roles": ["administrator"]}}'
    yield "NUL", every("a\0b")
    for number in ("NaN", "Infinity", "-Infinity", "1e999", "9" * 5_000):
        yield f"the number {number[:9]}", f'{{"{names[0]}": {number}}}'.encode()
    yield "huge numbers", every(10**300)
    yield "a key twice", f'{{"{names[0]}": "a", "{names[0]}": "b"}}'.encode()
    yield "half a character", f'{{"{names[0]}": "\\ud800"}}'.encode()
    yield "overlong text", every("x" * (60_000 // len(names)))
    yield "a long list", every(["x"] * (10_000 // len(names)))
    yield "bad UTF-8", f'{{"{names[0]}": "'.encode() + b"\xff\xc0\x80" + b'"}'
    yield "UTF-16", every("a").decode().encode("utf-16")
    yield "no object", b"null"
    yield "nothing", b""


def raw(host: str, bearer: str) -> dict[str, bytes]:
    """Return whole requests that a library would not send."""
    rest = f"Host: {host}\r\nAuthorization: Bearer {bearer}\r\nConnection: close\r\n".encode()

    def get(target: bytes, more: bytes = b"") -> bytes:
        return b"GET " + target + b" HTTP/1.1\r\n" + rest + more + b"\r\n"

    def post(more: bytes, body: bytes) -> bytes:
        return b"POST /v1/feedback HTTP/1.1\r\nContent-Type: application/json\r\n" + rest + more + b"\r\n" + body

    chunked = b"Transfer-Encoding: chunked\r\n"
    paths = ("/v1/events/../members", "/v1/events/%2e%2e/members", "/v1/events/..%2fmembers", "/v1/events/%00")
    paths += ("/v1/members/%ff%fe", "/v1/me;a=b", "/v1/me/", "/docs/../../gateway/app.py", "/docs/%2e%2e/__init__.py")
    return {
        **{path: get(path.encode()) for path in paths},
        "an overlong address": get(b"/v1/events?" + b"x" * 100_000),
        "a thousand headers": get(b"/v1/me", b"a: b\r\n" * 1_000),
        "a long header": get(b"/v1/me", b"a: " + b"b" * 100_000 + b"\r\n"),
        "a folded header": get(b"/v1/me", b"a: b\r\n c\r\n"),
        "a header with NUL": get(b"/v1/me", b"a: \0\r\n"),
        "no method": b"\0\0\0\0 / HTTP/1.1\r\n\r\n",
        "no such version": b"GET / HTTP/9.9\r\n\r\n",
        "no HTTP": b"\x16\x03\x01\x02\x00\x01" * 50 + b"\r\n\r\n",
        "two lengths": post(b"Content-Length: 2\r\nContent-Length: 30\r\n", b"{}"),
        "a length and chunks": post(b"Content-Length: 2\r\n" + chunked, b"2\r\n{}\r\n0\r\n\r\n"),
        "a negative length": post(b"Content-Length: -1\r\n", b"{}"),
        "a body cut short": post(b"Content-Length: 1000\r\n", b'{"text": "a"'),
        "a chunk of no size": post(chunked, b"zz\r\n{}\r\n0\r\n\r\n"),
        "a chunk cut short": post(chunked, b"ff\r\n{}"),
        "a key that is none": get(b"/v1/feedback/%s" % SOME_ID.encode(), b"Idempotency-Key: \xff\xfe\r\n"),
    }
