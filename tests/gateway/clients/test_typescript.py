"""A frontend developer's hour: the generated client against the running platform, compiled and run."""

import json
import re
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from deploy.local.platform import ROOT
from tests.gateway.clients.conftest import CLIENT, Complaints
from tests.journeys.test_story import publish
from tests.rig.npm import NODE, npm
from tests.rig.processes import PASSWORD, Member, Platform, until
from tests.rig.proxy import Proxy

Page = Callable[..., Iterator[Any]]
FLAGS = ["--expose-gc", "--experimental-eventsource", "--no-warnings"]


@pytest.fixture
def page(platform: Platform, application: Path, complaints: Complaints) -> Iterator[Page]:
    """Compiles a script and runs it for a member, at a platform's address; yields what it says, to its end."""
    with ExitStack() as stack:

        def run(name: str, member: Member, url: str = platform.url) -> Iterator[Any]:
            assert complaints(name, Path(__file__).with_name(name).read_text()) == []
            command = [NODE, *FLAGS, application / name, url, member.profile["email"], PASSWORD]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            stack.callback(process.wait)
            stack.callback(process.kill)
            assert process.stdout is not None
            yield from map(json.loads, process.stdout)
            assert (process.wait(20), process.communicate()[1]) == (0, "")

        yield run


def test_a_frontend_developers_hour(platform: Platform, page: Page) -> None:
    publish(platform.administrator, title="Printing for beginners", audience={"everyone": True})
    amara = platform.join("Amara")
    said = page("hour.ts", amara)
    assert next(said) == "sign_in_refused"
    assert next(said) == amara.id
    assert "Printing for beginners" in next(said)
    voice = f"/v1/feedback/{next(said)}"
    wait_for_a_stream(platform)
    platform.administrator.post(f"{voice}/answers", {"text": "We look for one."})
    assert next(said) == ["feedback.answered", "We look for one."]
    with platform.other_door() as url:
        platform.processes.end("gateway")
        moved = {"status": "declined", "reason": "The house is full."}
        platform.administrator.at(url).ask("PUT", f"{voice}/status", json=moved)
        amara.at(url).inbox(2)
    platform.open_door("gateway", platform.port)
    assert next(said) == ["feedback.moved", "The house is full."]
    assert list(said) == [401]


def test_a_bad_day(platform: Platform, page: Page) -> None:
    assert list(page("rough.ts", platform.join("Amara"))) == [
        ["fresh", 0],
        ["a quarter of an hour later", 1],
        ["refused", 1],
        ["swallowed", 1, [True]],
        ["public", 1, [False], 503],
        ["invalid", "text", True],
        ["tokens never came", "AbortError", "TimeoutError"],
    ]


def test_a_silent_stream_is_given_up(platform: Platform, page: Page) -> None:
    amara = platform.join("Amara")
    with Proxy(platform.url) as wire:
        wire.swallows = b": \n\n"  # the first heartbeat, and all that would follow it
        said = page("silent.ts", amara, wire.uri)
        voice = f"/v1/feedback/{next(said)}"
        until(lambda: not wire.swallows)
        platform.administrator.post(f"{voice}/answers", {"text": "We look for one."})
        assert next(said) == ["feedback.answered", "We look for one."]
        assert next(said) == "a slow reader misses nothing, and is not taken for a silent stream"
        platform.administrator.post(f"{voice}/answers", {"text": "We have one."})
        assert next(said) == ["feedback.answered", "We have one."]
        assert list(said) == ["ended"]
        assert wire.accepted >= 3


def test_the_event_source_of_a_browser_listens(platform: Platform, page: Page) -> None:
    with Proxy(platform.url) as wire:
        said = page("source.ts", platform.join("Amara"), wire.uri)
        voice = f"/v1/feedback/{next(said)}"
        wait_for_a_stream(platform)
        platform.administrator.post(f"{voice}/answers", {"text": "We look for one."})
        assert next(said) == "We look for one."
        wire.cut()
        platform.administrator.post(f"{voice}/answers", {"text": "We have one."})
        assert list(said) == ["We have one."]


def test_each_call_has_a_limit(platform: Platform, page: Page) -> None:
    with mute() as url:
        assert list(page("mute.ts", platform.join("Amara"), url)) == [
            ["no answer", "TimeoutError"],
            ["half an answer", "TimeoutError"],
            ["half a refusal", "TimeoutError"],
            ["half a spreadsheet", "TimeoutError"],
            ["signing in", "TimeoutError"],
            ["aborted", "AbortError"],
            ["half an answer, aborted", "AbortError"],
            ["the stream", "ended"],
        ]


def test_a_device_is_known_again(platform: Platform, page: Page) -> None:
    assert list(page("device.ts", platform.join("Amara"))) == [
        ["signed in", "signed in"],
        [True, True],
        ["a new visitor", "too_many_attempts"],
        ["the same page", "signed in"],
        ["a later visit", "signed in"],
        ["a wrong password", "sign_in_refused", True],
        ["a forged token", "too_many_attempts"],
        ["nowhere to keep it", "the disk is full"],
    ]


WRONG = """
await hub.api.POST("/v1/feedback", { body: { text: "a", anonymus: true } });
await hub.api.POST("/v1/feedback", { body: { kind: "need" } });
await hub.api.POST("/v1/feedback", { body: { text: "a", kind: "shout" } });
await hub.api.GET("/v1/feedback", { params: { query: { limt: 3 } } });
await hub.api.GET("/v1/feedbak");
(await hub.api.GET("/v1/events")).data.items[0]?.titel;
for await (const event of hub.notifications()) event.data.titel;
""".strip()


def test_what_is_misspelt_does_not_compile(complaints: Complaints) -> None:
    head = 'import { hearth } from "@hearth/client"; const hub = hearth({ baseUrl: "" });'
    found = complaints("wrong.ts", f"{head}\n{WRONG}\n")
    lines = {int(each.partition("(")[2].partition(",")[0]) for each in found if each.startswith("wrong.ts(")}
    assert lines == set(range(2, 9)), found


def test_the_example_of_the_page_for_frontends_compiles(complaints: Complaints) -> None:
    (example,) = re.findall(r"```ts\n(.*?)```", (ROOT / "gateway" / "README.md").read_text(), re.DOTALL)
    assert complaints("example.ts", example) == []


@pytest.mark.usefixtures("installed")
def test_it_is_generated_from_the_document_of_today() -> None:
    done = npm(CLIENT, "run", "check")
    assert done.returncode == 0, f"The client is out of date: make client\n{done.stdout}{done.stderr}"


def test_it_sends_no_token_where_none_is_asked_for() -> None:
    paths = json.loads((CLIENT.parents[1] / "openapi.json").read_text())["paths"]
    public = {path for path, doors in paths.items() if doors.get("post", {}).get("security") == []}
    source = (CLIENT / "src/session.ts").read_text()
    listed = source.partition("const PUBLIC = [")[2].partition("]")[0]
    assert {path.strip(' \n"') for path in listed.split(",")} - {""} == public


HALVES = {
    "/v1/house": b"200 OK\r\nContent-Type: application/json",
    "/v1/feedback": b"403 Forbidden\r\nContent-Type: application/problem+json",
    "/v1/events": b"200 OK\r\nContent-Type: text/csv",
}


@contextmanager
def mute() -> Iterator[str]:
    """The address of a server that takes each request and never ends an answer; most it does not begin."""

    class Mute(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            if half := HALVES.get(self.rfile.readline().split()[1].decode()):
                self.wfile.write(b"HTTP/1.1 " + half + b'\r\nContent-Length: 100\r\n\r\n{"name":')
            while self.rfile.readline():
                pass

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mute) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def wait_for_a_stream(platform: Platform) -> None:
    until = time.monotonic() + 20
    while "hearth_gateway_streams 1.0" not in requests.get(f"{platform.url}/metrics", timeout=5).text:
        assert time.monotonic() < until, "no stream was opened"
        time.sleep(0.05)
