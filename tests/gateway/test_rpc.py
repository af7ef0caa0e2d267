"""Calls over the real broker, and their end when the broker or a service fails."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest
import requests

from deploy.local.keys import Keys
from tests.gateway.door import Door
from tests.gateway.played import Responder
from tests.rig.processes import until
from tests.rig.proxy import Proxy

TIMEOUTS = int(os.environ.get("TIMEOUTS", "400"))  # how many calls time out where that is to leave nothing behind


def missing(door: Door, path: str = "/readyz") -> list[str]:
    answer = requests.get(f"{door.url}{path}", timeout=5)
    assert answer.status_code == (503 if answer.json()["missing"] else 200)
    return answer.json()["missing"]


def test_a_call_carries_its_deadline_and_correlation_id(door: Door, responder: Responder) -> None:
    headers = {"X-Request-ID": "r-1", "Idempotency-Key": "k"}
    answer = requests.post(f"{door.url}/call/tests.echo/echo", json={"a": [1, "ä"]}, headers=headers, timeout=5)
    assert answer.json() == {"result": {"a": [1, "ä"]}}
    (request,) = responder.requests
    headers = request.properties["application_headers"]
    assert headers["nameko.correlation_id"] == "r-1"
    assert not {"nameko.token", "nameko.idempotency_key"} & set(headers), "nobody in particular asks"
    assert 0 < headers["nameko.deadline"] - time.time() <= 2
    assert request.properties["expiration"] == "2000"
    assert request.properties["delivery_mode"] == 1
    assert orjson.loads(request.body) == {"args": [], "kwargs": {"a": [1, "ä"]}}


def test_a_call_says_who_asks_and_by_which_key(door: Door, responder: Responder, bearer: dict[str, str]) -> None:
    keyed = bearer | {"Idempotency-Key": "k-1"}
    for headers in (keyed, bearer):
        assert requests.post(f"{door.url}/signed-in/echo", json={}, headers=headers, timeout=5).status_code == 200
    first, second = (request.properties["application_headers"] for request in responder.requests)
    assert first["nameko.token"] == second["nameko.token"] == bearer["Authorization"].split()[1]
    assert first["nameko.idempotency_key"] == "k-1"
    assert "nameko.idempotency_key" not in second


def test_answers_find_those_who_asked(door: Door, responder: Responder) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda number: door.call("echo", number=number).json(), range(300)))
    assert answers == [{"result": {"number": number}} for number in range(300)]


def test_nobody_there_is_said_at_once(door: Door) -> None:
    began = time.monotonic()
    answer = door.call("echo", "tests.nobody")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert time.monotonic() - began < 0.5


def test_no_answer_in_time(door: Door, responder: Responder) -> None:
    began = time.monotonic()
    answer = door.call("silent")
    assert answer.status_code == 503
    assert 1.9 < time.monotonic() - began < 3
    assert door.held()["waiting"] == 0


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
    for path in ("/readyz", "/readyz/gateway"):
        assert requests.get(f"{door.url}{path}", timeout=5).json() == {"ready": False, "missing": ["broker"]}
    proxy.refusing = False
    door.wait_for("broker connected", times=2)
    assert door.call("echo").status_code == 200


def test_a_fault_that_is_not_the_brokers_costs_one_connection(door: Door, responder: Responder) -> None:
    requests.post(f"{door.url}/sabotaged", timeout=5).raise_for_status()
    assert door.call("echo").status_code == 503
    until(lambda: door.call("echo").status_code == 200)


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
    environment = {"AMQP_URI": proxy.uri, "TOKEN_JWKS_FILE": str(keys.jwks_file), "RPC_TIMEOUT": "0.1"}
    asks_on = {"BREAKER_MISSES": "1000000"}
    with Door(tmp_path, **environment, **asks_on) as door, ThreadPoolExecutor(20) as pool:

        def time_out(times: int) -> None:
            assert {answer.status_code for answer in pool.map(lambda _: door.call("silent"), range(times))} == {503}

        time_out(200)
        before = door.held()
        time_out(TIMEOUTS)
        time.sleep(0.5)
        after = door.held()
        print(f"{TIMEOUTS} calls timed out: {before} before, {after} after")
        assert (after["waiting"], after["channels"]) == (0, before["channels"])
        assert after["handles"] <= before["handles"] + 20
        assert after["memory"] < before["memory"] + 8192
        assert door.log.count("broker connected") == 1
        assert responder.asked("tests.echo.silent") == 200 + TIMEOUTS


def test_a_request_that_arrives_too_slowly_is_refused_and_speaks_against_nobody(
    proxy: Proxy, keys: Keys, tmp_path: Path, responder: Responder
) -> None:
    environment = {"AMQP_URI": proxy.uri, "TOKEN_JWKS_FILE": str(keys.jwks_file), "BREAKER_MISSES": "1"}
    with Door(tmp_path, REQUEST_TIMEOUT="1", **environment) as door:

        def trickle(seconds: float, method: str) -> requests.Response:
            def body() -> Iterator[bytes]:
                yield b"{"
                time.sleep(seconds)
                yield b"}"

            json = {"Content-Type": "application/json"}
            return requests.post(f"{door.url}/call/tests.echo/{method}", data=body(), headers=json, timeout=9)

        assert trickle(1.2, "echo").json()["code"] == "unavailable"
        assert responder.requests == []
        assert trickle(0.7, "silent").json()["code"] == "unavailable"
        assert responder.asked("tests.echo.silent") == 1
        assert door.call("echo").status_code == 200


def test_readiness_names_what_is_missing(door: Door, responder: Responder) -> None:
    assert requests.get(f"{door.url}/readyz", timeout=5).json() == {"ready": True, "missing": []}
    tests, others = {"ready": False, "store": False}, {"ready": False, "store": True}
    responder.answers["ping"] = lambda _kwargs: tests if responder.at_hand == "tests.echo.ping" else others
    time.sleep(1.1)
    assert missing(door) == ["tests.echo store", "tests.inbox"]
    for garbage in (None, [], "ready", {"ready": 1}):
        responder.answers["ping"] = lambda _kwargs, garbage=garbage: garbage
        time.sleep(1.1)
        assert missing(door) == ["tests.echo", "tests.inbox"]
    del responder.answers["ping"]
    time.sleep(1.1)
    answer = requests.get(f"{door.url}/readyz", timeout=5)
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "missing": ["tests.echo", "tests.inbox"]}
    assert answer.elapsed.total_seconds() < 1.5
    for path in ("/livez", "/readyz/gateway"):
        assert requests.get(f"{door.url}{path}", timeout=1).status_code == 200, "others may still be served"


def test_who_is_told_to_stop_is_first_not_ready_and_answers_on(
    proxy: Proxy, keys: Keys, tmp_path: Path, responder: Responder
) -> None:
    def slow(kwargs: dict) -> dict:
        time.sleep(1)
        return kwargs

    responder.answers["slow"] = slow
    environment = {"AMQP_URI": proxy.uri, "TOKEN_JWKS_FILE": str(keys.jwks_file), "STOP_NOTICE": "2"}
    with Door(tmp_path, **environment) as door, ThreadPoolExecutor(1) as pool:
        call = pool.submit(door.call, "slow")
        while not responder.asked("tests.echo.slow"):
            time.sleep(0.01)
        door.process.terminate()
        time.sleep(0.5)
        assert missing(door) == missing(door, "/readyz/gateway") == ["gateway"]
        assert call.result().status_code == 200
        assert door.call("echo").status_code == 200, "a caller who has not noticed yet is still served"
        assert requests.get(f"{door.url}/livez", timeout=1).status_code == 200
        assert door.process.wait(10) == 0


def test_settings_that_lack_are_all_named(tmp_path: Path) -> None:
    door = Door(tmp_path, RPC_TIMEOUT="soon")
    with pytest.raises(AssertionError), door:
        pass
    assert door.process.wait(10) == 2
    assert all(name in door.log for name in ("AMQP_URI", "TOKEN_JWKS_FILE", "RPC_TIMEOUT"))
