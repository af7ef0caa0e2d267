"""One request is followed through the logs of all processes, however they are written."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.operator import Operator
from tests.rig.processes import ROOT, Platform, until

ID = "followed-1"
JSON = (
    '{"process":"notifications","event":"handled","queue":"notifications.fanout.tell_of_an_event","ms":4.0,'
    '"correlation_id":"followed-1","message_id":"m-1","level":"info","at":"2026-11-02T09:00:00.100000Z"}'
)
TEXT = (
    "[info     ] request                        at=2026-11-02T09:00:00.050000Z correlation_id=followed-1 method=POST "
    "ms=50.0 process=gateway route='/v1/a \\'b' status=201"
)
OTHER = TEXT.replace("followed-1", "followed-10")


@pytest.fixture
def telling_json(platform: Platform) -> Iterator[None]:
    """Notifications logs JSON, unlike the others."""
    platform.processes.end("notifications")
    platform.processes.start("notifications", "-m", "services.notifications", LOG_FORMAT="json")
    platform.ready()
    yield
    platform.processes.end("notifications")
    platform.serve("notifications")
    platform.ready()


def logs(platform: Platform) -> list[str]:
    return [str(platform.processes.folder / f"{name}.log") for name in (*platform.SERVICES, "gateway")]


@pytest.mark.usefixtures("telling_json")
def test_a_request_is_followed_to_the_inboxes_also_where_processes_write_differently(
    platform: Platform, operator: Operator
) -> None:
    author, id = platform.join("Amara"), ID
    author.post("/v1/feedback", {"text": "I need a lamp."}, headers={"X-Request-ID": id})
    until(lambda: id in platform.processes.log("notifications"))
    until(lambda: id in platform.processes.log("gateway"))
    found = operator.json("trace", id, *logs(platform))
    assert [(each["process"], each["event"]) for each in found] == [
        ("gateway", "request"),
        ("feedback", "answered"),
        ("notifications", "handled"),
    ]
    assert found[0]["facts"]["route"] == "/v1/feedback"
    assert found[1]["facts"]["method"] == "feedback.voices.submit"
    assert found[2]["facts"]["queue"] == "notifications.fanout.tell_the_administrators"
    (message,) = operator.json("trace", found[2]["facts"]["message_id"], *logs(platform))
    assert message["process"] == "notifications"
    said = operator.hub("trace", id, *logs(platform)).splitlines()
    assert [line.split()[3] for line in said] == ["gateway", "feedback", "notifications"]


def test_of_an_anonymous_voice_the_trace_ends_where_it_was_raised(platform: Platform, operator: Operator) -> None:
    author, id = platform.join("Amara"), "nameless-1"
    voice = {"text": "It smells.", "anonymous": True}
    before = platform.processes.log("notifications").count("tell_the_administrators")
    author.post("/v1/feedback", voice, headers={"X-Request-ID": id})
    until(lambda: platform.processes.log("notifications").count("tell_the_administrators") > before)
    until(lambda: id in platform.processes.log("gateway"))
    found = operator.json("trace", id, *logs(platform))
    assert [(each["process"], each["event"]) for each in found] == [("gateway", "request"), ("feedback", "answered")]


@pytest.mark.parametrize(
    "prefix", ["", "notifications-1  | ", "09:00:00 notifications | ", "\x1b[36mfeedback-2 | \x1b[0m"]
)
def test_lines_may_be_piped_with_a_name_before_them(prefix: str) -> None:
    said = "\n".join(prefix + line for line in (JSON, OTHER, "Traceback followed-1", "{followed-1", TEXT))
    done = subprocess.run(
        [sys.executable, "-m", "deploy.hub", "trace", ID, "-", "--json"],
        cwd=ROOT,
        input=said,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    first, second = json.loads(done.stdout)
    assert (first["process"], first["at"], first["ms"]) == ("gateway", "2026-11-02T09:00:00Z", 50.0)
    assert first["facts"] == {"method": "POST", "route": "/v1/a 'b", "status": "201"}
    assert (second["process"], second["at"]) == ("notifications", "2026-11-02T09:00:00.096000Z")


def test_what_is_in_no_log_is_said(operator: Operator, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(OTHER)
    assert "No line belongs to followed-1." in operator.hub("trace", ID, str(tmp_path / "a.log"), code=1)
