"""A client that is slow, or sends too much at once, holds no place for long and takes none from others."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from deploy.local.keys import Keys
from tests.gateway.conftest import Sign
from tests.gateway.door import Door
from tests.gateway.played import Responder

OTHER = "018f2d6e-0000-7a3e-9c41-0f2b6d7e8a90"
HEAD = b"POST /v1/sessions HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
LONG = HEAD + b"Content-Length: 400\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
LIVE = b"GET /livez HTTP/1.1\r\nHost: h\r\n\r\n"
SOON = 20.0  # seconds until the tests give up

Open = Callable[..., Any]


@pytest.fixture
def opened(amqp_uri: str, keys: Keys, tmp_path: Path) -> Iterator[Open]:
    """Opens a gateway with settings of its own."""
    with ExitStack() as stack:

        def make(**settings: str) -> Door:
            environment = {"AMQP_URI": amqp_uri, "TOKEN_JWKS_FILE": str(keys.jwks_file), **settings}
            return stack.enter_context(Door(tmp_path, **environment))

        yield make


@pytest.fixture(scope="module")
def hasty(amqp_uri: str, keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A gateway in which a request has a second to arrive."""
    environment = {"AMQP_URI": amqp_uri, "TOKEN_JWKS_FILE": str(keys.jwks_file), "ARRIVES_WITHIN": "1"}
    with Door(tmp_path_factory.mktemp("hasty"), **environment) as running:
        yield running


@contextmanager
def connected(door: Door, said: bytes = b"") -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", int(door.url.rpartition(":")[2])), timeout=SOON) as made:
        made.sendall(said)
        yield made


def heard(connection: socket.socket) -> bytes:
    """All that comes until the other side hangs up, which it must."""
    found = b""
    try:
        while part := connection.recv(65_536):
            found += part
    except ConnectionResetError:
        pass
    return found


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize(
    ("first", "then", "expected"),
    [
        (LONG + b"{", b"", [408]),
        (LONG, b"x", [408]),
        (CHUNKED + b"5\r\nab", b"", [408]),
        (CHUNKED, b"1\r\nx\r\n", [408]),
        (HEAD + b"Expect: 100-continue\r\nContent-Length: 400\r\n\r\n", b"x", [100, 408]),
        (HEAD, b"", [408]),
        (HEAD, b"a: b\r\n", [408]),
        (b"POST /v1/fe", b"", [408]),
        (b"POST /v1/feedback HTTP/1.1\r\nHost: h\r\nContent-Length: 400\r\n\r\n{", b"x", [401]),
        (LIVE + LONG + b"{", b"x", [200, 408]),
        (b"", b"", []),
    ],
    ids=[
        "a body that stops",
        "a body byte by byte",
        "a chunk that stops",
        "chunk by chunk",
        "a body that was asked for",
        "a head that stops",
        "a head line by line",
        "half a line",
        "a body that nobody wants",
        "after a good one",
        "nothing",
    ],
)
def test_a_request_arrives_in_time_or_not_at_all(hasty: Door, first: bytes, then: bytes, expected: list[int]) -> None:
    with connected(hasty, first) as connection, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(heard, connection)
        until = time.monotonic() + SOON
        while not answer.done() and time.monotonic() < until:
            if then:
                try:
                    connection.sendall(then)
                except OSError:
                    break
            time.sleep(0.1)
        said = answer.result(SOON)
    found = [status(b"HTTP/1.1" + part) for part in said.split(b"HTTP/1.1")[1:]]
    assert found == expected, said
    if 408 in expected:
        assert b'"code":"request_timeout"' in said
        assert b"application/problem+json" in said


def test_they_hold_nothing_any_more(hasty: Door) -> None:
    before = hasty.held()["handles"]
    with ExitStack() as stack:
        for _ in range(150):
            stack.enter_context(connected(hasty, LONG + b"{"))
        until = time.monotonic() + SOON
        while hasty.held()["handles"] > before + 5:
            assert time.monotonic() < until, "they are held still"
            time.sleep(0.1)


def test_who_is_in_time_is_served_on_one_connection(hasty: Door, bearer: dict[str, str]) -> None:
    with requests.Session() as session:
        for _ in range(3):
            assert session.get(f"{hasty.url}/livez", timeout=SOON).status_code == 200
            time.sleep(0.5)  # longer, together, than one request may take
        parts = iter([b'{"', b'"', b": 1}"])
        answer = session.post(f"{hasty.url}/v1/feedback", data=parts, headers=bearer, timeout=SOON)
        assert answer.status_code == 415
    with connected(hasty, LIVE + LIVE + LIVE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")) as connection:
        assert heard(connection).count(b'{"live":true}') == 3


def test_an_address_may_have_so_many_connections_that_are_nobodys(opened: Open, sign: Sign) -> None:
    door = opened(CONNECTIONS_PER_ADDRESS="3", CONNECTIONS_PER_MEMBER="2")
    stream = "GET /v1/notifications/stream HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {}\r\n\r\n"

    def follow(member_id: str) -> bytes:
        return stream.format(sign(member_id)).encode()

    with ExitStack() as stack:

        def enter(said: bytes = b"") -> socket.socket:
            return stack.enter_context(connected(door, said))

        def told(connection: socket.socket) -> bytes:
            return connection.recv(65_536)

        slow = [enter(LONG), enter(LONG)]
        mine = [enter(follow(OTHER))]
        assert status(told(mine[0])) == 200
        mine.append(enter(follow(OTHER)))
        assert status(told(mine[1])) == 200, "the first is the member's now, and no more the address's"
        mine.append(enter(follow(OTHER)))
        assert status(told(mine[2])) == 200
        refused = heard(enter())
        assert status(refused) == 429, "the member has two, so that the third is still the address's"
        assert b"\r\nRetry-After: 1\r\n" in refused
        slow.pop().close()
        assert status(told(enter(LIVE))) == 200


def test_behind_a_proxy_connections_are_not_counted(opened: Open) -> None:
    door = opened(CONNECTIONS_PER_ADDRESS="1", TRUSTED_PROXIES="1")
    with connected(door, LONG), connected(door, LONG), connected(door, LIVE) as third:
        assert status(third.recv(65_536)) == 200


@pytest.mark.parametrize("anonymous", [False, True])
def test_so_much_is_answered_at_once(opened: Open, responder: Responder, sign: Sign, anonymous: bool) -> None:
    door = opened(AT_ONCE="2", AT_ONCE_ANONYMOUS="2", RPC_TIMEOUT="30", REQUEST_TIMEOUT="30", TRUSTED_PROXIES="1")
    path = "/call/tests.echo/silent" if anonymous else "/signed-in/silent"

    def ask(who: str, path: str = path) -> int:
        headers = {"X-Forwarded-For": f"192.0.2.{len(who)}"}
        headers |= {} if anonymous else {"Authorization": f"Bearer {sign(who)}"}
        return requests.post(door.url + path, json={}, headers=headers, timeout=SOON).status_code

    with ThreadPoolExecutor(2) as pool:
        two = [pool.submit(ask, OTHER) for _ in range(2)]
        until = time.monotonic() + SOON
        while len(responder.requests) < 2:
            assert time.monotonic() < until
            time.sleep(0.05)
        echo = path.replace("silent", "echo")
        assert ask(OTHER, echo) == 429
        assert ask(OTHER[:-1] + "1" * (1 + anonymous), echo) == 200, "others are answered"
        for request in list(responder.requests[:2]):
            responder.reply(request, b'{"result": 1, "error": null}')
        assert [each.result(SOON) for each in two] == [200, 200]
        assert ask(OTHER, echo) == 200


def test_who_does_not_read_is_let_go(opened: Open, responder: Responder, sign: Sign) -> None:
    door = opened(STALLED="1")
    row = {"id": "1", "text": "x" * 2_000, "answers": []}
    responder.answers["browse"] = lambda _kwargs: {"items": [row] * 10, "next": "more"}
    asked = f"GET /exported HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {sign()}\r\n\r\n".encode()
    handles = door.held()["handles"]
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(connected(door, asked))
        answer = requests.get(f"{door.url}/exported", headers={"Authorization": f"Bearer {sign()}"}, timeout=SOON)
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_at_once"), "each holds a page of rows"
        until = time.monotonic() + 3 * SOON
        while 'kind="unread"} 2.0' not in requests.get(f"{door.url}/metrics", timeout=SOON).text:
            assert time.monotonic() < until
            time.sleep(0.2)
        assert door.held()["handles"] <= handles + 1


def test_others_are_answered_while_hostile_words_are_exported(opened: Open, responder: Responder, sign: Sign) -> None:
    door = opened(RPC_TIMEOUT="10", REQUEST_TIMEOUT="10")
    row = {"id": "1", "text": "a" + "\n" * 3_998 + "b", "answers": []}
    asked, hostile = 0, 5

    def browse(_kwargs: Any) -> dict[str, Any]:
        nonlocal asked
        asked += 1
        return {"items": [row] * 100, "next": "more" if asked <= hostile else None}

    responder.answers["browse"] = browse

    def export(number: int) -> int:
        headers = {"Authorization": f"Bearer {sign(OTHER[:-1] + str(number))}"}
        return len(requests.get(f"{door.url}/exported", headers=headers, timeout=100).content)

    def live() -> bool:
        return requests.get(f"{door.url}/livez", timeout=2).ok

    with ThreadPoolExecutor(3) as pool:
        exports = [pool.submit(export, number) for number in range(3)]
        answered = 0
        while not all(each.done() for each in exports):
            assert live()
            answered += 1
        assert all(each.result() > 400_000 for each in exports)
    assert answered > 3, "and not only when all was done"
