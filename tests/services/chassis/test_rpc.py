"""RPC over a real broker, answered by a real process that must survive all input."""

import time
from collections.abc import Iterator
from typing import Any

import amqp
import pytest

from services.contracts.errors import Conflict, Invalid, NotFound, Unauthenticated, Unexpected
from tests.rig.forged import signed
from tests.rig.processes import Processes
from tests.rig.wire import Caller

MEMBER = "018f2d6e-5b7c-7a3e-9c41-0f2b6d7e8a90"


@pytest.fixture(scope="module")
def probe(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    running = Processes(environment, tmp_path_factory.mktemp("probe"))
    running.start("probe", "-m", "tests.services.chassis.probe", WORKERS="3")
    running.until("probe", "serving")
    yield running
    running.stop()


def test_it_answers(probe: Processes, caller: Caller) -> None:
    assert caller.call("feedback.probe.echo", draft={"text": "  hello "}) == {"text": "hello"}
    assert caller.call("feedback.probe.ping") == {"capability": "feedback.probe", "ready": True, "store": True}


@pytest.mark.parametrize(
    "draft",
    [None, 5, [], "text", {}, {"text": 5}, {"text": ""}, {"text": "x" * 21}, {"text": "a\0b"}, {"text": "a", "b": 1}],
)
def test_wrong_shapes_are_refused_with_the_field(probe: Processes, caller: Caller, draft: Any) -> None:
    with pytest.raises(Invalid) as refused:
        caller.call("feedback.probe.echo", draft=draft)
    assert refused.value.fields
    if isinstance(draft, dict):
        assert {each["field"] for each in refused.value.fields} <= {"text", "b"}


@pytest.mark.parametrize("kwargs", [{}, {"draft": {"text": "a"}, "more": 1}, {"other": 1}])
def test_other_arguments_are_refused(probe: Processes, caller: Caller, kwargs: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="takes the arguments"):
        caller.call("feedback.probe.echo", **kwargs)


def test_refusals_travel_by_family(probe: Processes, caller: Caller) -> None:
    with pytest.raises(Conflict) as refused:
        caller.call("feedback.probe.refuse")
    assert (refused.value.code, refused.value.says) == ("full", "There is no room left.")
    with pytest.raises(NotFound):
        caller.call("feedback.probe.nothing")


@pytest.mark.parametrize("method", ["crash", "unsendable"])
def test_our_own_faults_are_told_without_their_insides(probe: Processes, caller: Caller, method: str) -> None:
    with pytest.raises(Unexpected) as refused:
        caller.call(f"feedback.probe.{method}")
    assert "secret" not in str(refused.value)
    assert "secret" not in probe.log("probe")


@pytest.mark.parametrize(
    ("claims", "headers", "language"),
    [
        ({}, {}, ""),
        ({}, {"nameko.language": "de"}, "de"),
        ({}, {"nameko.language": "de", "nameko.network": "203.0.113.0/24"}, "de"),
        ({"locale": "en"}, {"nameko.language": "de"}, "en"),
        ({"locale": "en"}, {"nameko.language": "de", "nameko.network": "203.0.113.0/24"}, "en"),
        ({}, {"nameko.language": 5}, ""),
    ],
)
def test_a_caller_speaks_the_language_that_they_chose_or_else_asked_for(
    probe: Processes,
    environment: dict[str, str],
    caller: Caller,
    claims: dict[str, str],
    headers: dict[str, Any],
    language: str,
) -> None:
    token = signed(environment, MEMBER, **claims)
    body = b'{"args": [], "kwargs": {}}'
    found = caller.send("feedback.probe.whoami", body, headers | {"nameko.token": token})
    assert (found["language"], found["network"]) == (language, headers.get("nameko.network"))


@pytest.mark.parametrize("token", [None, "", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "\u00e9" * 10])
def test_nobody_is_let_in_without_a_token_of_ours(probe: Processes, caller: Caller, token: str | None) -> None:
    with pytest.raises(Unauthenticated):
        caller.call("feedback.probe.whoami", token)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"5", b'{"args": []}', b'{"kwargs": 5}', b"\xff", b"[" * 9_999]
)
def test_malformed_calls_are_refused(probe: Processes, caller: Caller, body: bytes) -> None:
    with pytest.raises(Invalid):
        caller.send("feedback.probe.echo", body, {})


def test_it_survives_what_used_to_kill(probe: Processes, caller: Caller) -> None:
    body = b'{"args": [], "kwargs": {"draft": {"text": "a"}}}'
    caller.channel.basic_publish(
        amqp.Message(body, content_type="application/json"), "nameko-rpc", "feedback.probe.echo"
    )
    assert caller.send("feedback.probe.echo", body, {"nameko.call_id_stack": 5, "nameko.token": 5}) == {"text": "a"}
    assert caller.send("feedback.probe.echo", body, {}, content_type="image/png") == {"text": "a"}
    with pytest.raises(TimeoutError):
        caller.send("feedback.probe.echo", body, {}, seconds=0.5, reply_to="nobody-listens-there")
    assert caller.call("feedback.probe.echo", draft={"text": "alive"}) == {"text": "alive"}


def test_an_expired_call_is_not_run(probe: Processes, caller: Caller) -> None:
    body = b'{"args": [], "kwargs": {"draft": {"text": "a"}}}'
    with pytest.raises(TimeoutError):
        caller.send("feedback.probe.echo", body, {"nameko.deadline": time.time() - 1}, seconds=0.5)
    assert caller.send("feedback.probe.echo", body, {"nameko.deadline": time.time() + 5}) == {"text": "a"}


def test_the_process_is_still_the_first_one(probe: Processes, caller: Caller) -> None:
    assert probe.log("probe").count("serving") == 1
    assert "receiving failed" not in probe.log("probe")
