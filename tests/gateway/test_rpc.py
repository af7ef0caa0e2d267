"""Calls over the real broker, and what becomes of them when it or a service fails."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest
import requests

from deploy.local.keys import Keys
from tests.gateway.door import Door
from tests.gateway.played import Responder
from tests.gateway.proxy import Proxy


def waiting(door: Door) -> int:
    return int(requests.get(f"{door.url}/waiting", timeout=5).text)


def test_a_call_carries_its_deadline_and_correlation_id(door: Door, responder: Responder) -> None:
    answer = requests.post(f"{door.url}/call/echo", json={"a": [1, "ä"]}, headers={"X-Request-ID": "r-1"}, timeout=5)
    assert answer.json() == {"result": {"a": [1, "ä"]}}
    (request,) = responder.requests
    headers = request.properties["application_headers"]
    assert headers["nameko.correlation_id"] == "r-1"
    assert "nameko.token" not in headers
    assert 0 < headers["nameko.deadline"] - time.time() <= 2
    assert request.properties["expiration"] == "2000"
    assert request.properties["delivery_mode"] == 1
    assert orjson.loads(request.body) == {"args": [], "kwargs": {"a": [1, "ä"]}}


def test_answers_find_those_who_asked(door: Door, responder: Responder) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda number: door.call("echo", number=number).json(), range(300)))
    assert answers == [{"result": {"number": number}} for number in range(300)]


def test_nobody_there_is_said_at_once(door: Door) -> None:
    began = time.monotonic()
    answer = requests.get(f"{door.url}/call/nobody", timeout=5)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert time.monotonic() - began < 0.5


def test_no_answer_in_time(door: Door, responder: Responder) -> None:
    began = time.monotonic()
    answer = door.call("silent")
    assert answer.status_code == 503
    assert 1.9 < time.monotonic() - began < 3
    assert waiting(door) == 0


def test_a_late_answer_is_dropped(door: Door, responder: Responder) -> None:
    assert door.call("silent").status_code == 503
    late = responder.requests[0]
    responder.answers["late"] = lambda _kwargs: responder.reply(late, b'{"result": "late", "error": null}')
    assert door.call("late").json() == {"result": None}
    assert door.call("echo", still="here").json() == {"result": {"still": "here"}}


def test_unreadable_answers_are_our_fault(door: Door, responder: Responder) -> None:
    bodies = [b"\xff", b"[]", b"{}", b'{"error": 5}', b'{"error": {"exc_type": "NotFound", "exc_args": [1, 2, 3]}}']
    for body in bodies:

        def answer(_kwargs: dict, body: bytes = body) -> None:
            responder.reply(responder.requests[-1], body)

        responder.answers["odd"] = answer
        assert door.call("odd").json()["status"] == 500, body
    assert door.call("echo").status_code == 200


def test_a_lost_connection_fails_those_who_wait_and_comes_back(door: Door, proxy: Proxy, responder: Responder) -> None:
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(door.call, "silent") for _ in range(4)]
        while len(responder.requests) < 4:
            time.sleep(0.01)
        proxy.refusing = True
        began = time.monotonic()
        proxy.cut()
        assert [call.result().status_code for call in calls] == [503] * 4
        assert time.monotonic() - began < 1
    assert door.call("echo").status_code == 503
    assert requests.get(f"{door.url}/readyz", timeout=5).json() == {"ready": False, "missing": ["broker"]}
    proxy.refusing = False
    door.wait_for("broker connected", times=2)
    assert door.call("echo").status_code == 200


def test_a_frozen_broker_keeps_nobody_beyond_the_deadline(door: Door, proxy: Proxy, responder: Responder) -> None:
    proxy.frozen = True
    began = time.monotonic()
    much = {"much": "x" * 60_000}  # more than the sockets between us hold
    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda _: door.call("echo", **much), range(200)))
    assert {answer.status_code for answer in answers} == {503}
    assert time.monotonic() - began < 8
    assert requests.get(f"{door.url}/livez", timeout=1).status_code == 200
    proxy.frozen = False
    until = time.monotonic() + 20
    while door.call("echo").status_code != 200:
        assert time.monotonic() < until
        time.sleep(0.2)


def test_many_timeouts_leave_nothing_behind(proxy: Proxy, keys: Keys, tmp_path: Path, responder: Responder) -> None:
    def handles(door: Door) -> int:
        (worker,) = Path(f"/proc/{door.process.pid}/task/{door.process.pid}/children").read_text().split()
        return len(list(Path(f"/proc/{worker}/fd").iterdir()))

    environment = {"AMQP_URI": proxy.uri, "TOKEN_JWKS_FILE": str(keys.jwks_file), "RPC_TIMEOUT": "0.1"}
    with Door(tmp_path, **environment) as door, ThreadPoolExecutor(20) as pool:
        door.call("silent")
        before = handles(door)
        assert {answer.status_code for answer in pool.map(lambda _: door.call("silent"), range(500))} == {503}
        assert waiting(door) == 0
        time.sleep(0.5)
        assert handles(door) <= before + 20
        assert door.log.count("broker connected") == 1


def test_readiness_names_what_is_missing(door: Door, responder: Responder) -> None:
    assert requests.get(f"{door.url}/readyz", timeout=5).json() == {"ready": True, "missing": []}
    del responder.answers["ping"]
    time.sleep(1.1)
    answer = requests.get(f"{door.url}/readyz", timeout=5)
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "missing": ["tests.echo", "tests.inbox"]}
    assert answer.elapsed.total_seconds() < 1.5


def test_settings_that_lack_are_all_named(tmp_path: Path) -> None:
    door = Door(tmp_path, RPC_TIMEOUT="soon")
    with pytest.raises(AssertionError), door:
        pass
    assert door.process.wait(10) == 2
    assert all(name in door.log for name in ("AMQP_URI", "TOKEN_JWKS_FILE", "RPC_TIMEOUT"))
