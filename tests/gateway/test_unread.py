"""Requests that are not HTTP, or too large."""

import socket

import pytest

from gateway.errors import MEDIA_TYPE
from tests.gateway.door import Door

CHUNKED = (
    b"POST /v1/sessions HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /livez?" + b"x" * 5_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET /livez HTTP/1.1\r\nHost: h\r\n" + b"a: b\r\n" * 200 + b"\r\n", 431),
        (b"GET /livez HTTP/1.1\r\nHost: h\r\nbad header: x\r\n\r\n", 400),
        (b"secret\r\n\r\n", 400),
        (CHUNKED + b"zz\r\nsecret\r\n0\r\n\r\n", 400),
        (CHUNKED + b"5\r\nsecretsecret\r\n0\r\n\r\n", 400),
    ],
    ids=["long address", "many headers", "bad header", "no HTTP", "a chunk of no size", "a chunk of another size"],
)
def test_it_is_refused_with_a_problem_document(door: Door, sent: bytes, status: int) -> None:
    with socket.create_connection(("127.0.0.1", int(door.url.rpartition(":")[2])), timeout=10) as connection:
        connection.sendall(sent)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert f"Content-Type: {MEDIA_TYPE}".encode() in head
    assert f'"status":{status}'.encode() in body
    assert b"secret" not in body
