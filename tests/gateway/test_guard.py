"""The cost of a hung service to its callers and to callers of others. Tests count; they never use the clock."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests

from deploy.local.keys import Keys
from gateway.bus.guard import Guard, Limits
from services.contracts.errors import Unavailable
from tests.gateway.door import Door
from tests.gateway.played import Responder

SILENT = "tests.echo.silent"
RESTS = "does not answer at present"


class Clock(SimpleNamespace):
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("gateway.bus.guard.time", made)
    return made


@pytest.fixture
def environment(amqp_uri: str, keys: Keys) -> dict[str, str]:
    return {"AMQP_URI": amqp_uri, "TOKEN_JWKS_FILE": str(keys.jwks_file), "RPC_TIMEOUT": "0.3"}


def miss(guard: Guard, times: int = 1) -> None:
    for _ in range(times):
        with guard:
            guard.missed()


def test_only_misses_in_a_row_open_it(clock: Clock) -> None:
    guard = Guard("unit", Limits(misses=3, rest=5))
    for _ in range(5):
        miss(guard, 2)
        with guard:
            guard.answered()
    miss(guard, 3)
    with pytest.raises(Unavailable, match=RESTS) as refusal, guard:
        pass
    assert (refusal.value.code, refusal.value.after) == ("resting", 5)


def test_one_call_goes_to_see_and_its_answer_lets_all_in(clock: Clock) -> None:
    guard = Guard("unit", Limits(misses=2, rest=5))
    miss(guard, 2)
    clock.now += 5
    with guard:
        with pytest.raises(Unavailable, match=RESTS), guard:
            pass
        guard.answered()
    with guard, guard, guard:
        pass


def test_a_call_that_went_to_see_in_vain_makes_it_rest_again(clock: Clock) -> None:
    guard = Guard("unit", Limits(misses=2, rest=5))
    miss(guard, 2)
    for _ in range(3):
        clock.now += 5
        miss(guard)
        with pytest.raises(Unavailable, match=RESTS), guard:
            pass


def test_a_call_that_learned_nothing_leaves_it_to_the_next(clock: Clock) -> None:
    guard = Guard("unit", Limits(misses=2, rest=5))
    miss(guard, 2)
    clock.now += 5
    with guard:
        pass
    with pytest.raises(Unavailable, match=RESTS), guard:
        pass
    clock.now += 5
    with guard:
        guard.answered()


def test_a_late_miss_of_before_opens_nothing(clock: Clock) -> None:
    guard = Guard("unit", Limits(misses=2, rest=5))
    with guard:
        miss(guard, 2)
        clock.now += 5
        with guard:
            guard.answered()
        guard.missed()
    with guard:
        pass


def test_so_many_are_let_in(clock: Clock) -> None:
    guard = Guard("unit", Limits(waiting=2))
    with guard, guard, pytest.raises(Unavailable) as refusal, guard:
        pass
    assert refusal.value.code == "busy"
    with guard, guard:
        pass


def test_a_service_that_hangs_is_asked_no_more_while_others_answer(
    environment: dict[str, str], tmp_path: Path, responder: Responder
) -> None:
    with Door(tmp_path, BREAKER_REST="60", **environment) as door:
        assert {door.call("silent").json()["code"] for _ in range(3)} == {"unavailable"}
        for _ in range(20):
            answer = door.call("silent")
            assert (answer.status_code, answer.json()["code"]) == (503, "resting")
            assert 50 < int(answer.headers["Retry-After"]) <= 60
            assert door.call("echo", "others.echo").status_code == 200
        assert door.call("echo", "tests.inbox").status_code == 200, "a flood of sign-ins is not in a profile's way"
        assert responder.asked(SILENT) == 3
        metrics = requests.get(f"{door.url}/metrics", timeout=5).text
        assert 'hearth_gateway_breaker_open{capability="tests.echo"} 1.0' in metrics
        assert 'hearth_gateway_breaker_open{capability="others.echo"} 0.0' in metrics
        assert requests.get(f"{door.url}/readyz", timeout=5).status_code == 200, "readiness is found out by asking"


def test_a_service_that_answers_again_is_found_out(
    environment: dict[str, str], tmp_path: Path, responder: Responder
) -> None:
    with Door(tmp_path, BREAKER_REST="1.5", **environment) as door, ThreadPoolExecutor(10) as pool:

        def ask_ten() -> list[int]:
            return sorted(answer.status_code for answer in pool.map(lambda _: door.call("silent"), range(10)))

        for _ in range(3):
            door.call("silent")
        time.sleep(1.6)
        assert ask_ten() == [503] * 10
        assert responder.asked(SILENT) == 4, "one of ten went to see"
        responder.answers["silent"] = lambda kwargs: kwargs
        time.sleep(2)
        assert door.call("silent").status_code == 200
        assert ask_ten() == [200] * 10
        assert (door.log.count("breaker opened"), door.log.count("breaker closed")) == (1, 1)


def test_refusals_and_absence_are_no_hanging(environment: dict[str, str], tmp_path: Path, responder: Responder) -> None:
    def refuse(_kwargs: dict) -> None:
        responder.reply(
            responder.requests[-1],
            b'{"result": null, "error": {"exc_type": "Unavailable", "exc_args": ["store", "No store.", []]}}',
        )

    responder.answers["refuse"] = refuse
    with Door(tmp_path, BREAKER_MISSES="1", **environment) as door:
        for _ in range(5):
            assert door.call("refuse").json()["code"] == "store"
            assert door.call("echo", "tests.nobody").json()["code"] == "unavailable"
        assert door.call("echo").status_code == 200


def test_so_many_calls_wait_for_a_service(environment: dict[str, str], tmp_path: Path, responder: Responder) -> None:
    slow = environment | {"RPC_TIMEOUT": "2", "CALLS_WAITING": "5", "BREAKER_MISSES": "100"}
    with Door(tmp_path, **slow) as door, ThreadPoolExecutor(20) as pool:
        calls = [pool.submit(door.call, "silent") for _ in range(20)]
        while sum(call.done() for call in calls) < 15:
            time.sleep(0.01)
        assert door.call("echo", "others.echo").status_code == 200
        codes = [call.result().json()["code"] for call in calls]
        assert (codes.count("busy"), codes.count("unavailable")) == (15, 5)
        assert responder.asked(SILENT) == 5
        assert door.call("echo").status_code == 200, "those who gave up made room"
