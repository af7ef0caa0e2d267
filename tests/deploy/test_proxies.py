"""The proxies that the operators' page recommends, with the platform behind them."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from deploy.local.platform import ROOT
from tests.journeys.test_story import an_event
from tests.rig.installed import installed
from tests.rig.processes import Member, Platform, free_port, until

PROXIES = ROOT / "deploy" / "proxy"
Command = list[str]


def nginx(folder: Path, port: int, behind: int) -> Command:
    """Our server block, without its certificate, in a configuration of this folder."""
    block = (PROXIES / "nginx.conf").read_text().replace("127.0.0.1:8000", f"127.0.0.1:{behind}")
    block = re.sub(r"listen 443 ssl;", f"listen 127.0.0.1:{port};", block)
    block = re.sub(r"ssl_certificate\w* .*", "", block)
    places = "".join(f"{name}_temp_path {folder};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    whole = f"pid {folder}/pid; events {{}} http {{ access_log off; {places} {block} }}"
    (folder / "nginx.conf").write_text(f"daemon off; master_process off; error_log stderr; {whole}")
    return [installed("nginx", "nginx-light"), "-c", str(folder / "nginx.conf"), "-p", str(folder)]


def caddy(folder: Path, port: int, behind: int) -> Command:
    """Our site, without a certificate."""
    site = (PROXIES / "Caddyfile").read_text().replace("127.0.0.1:8000", f"127.0.0.1:{behind}")
    site = site.replace("hub.example", f"http://127.0.0.1:{port}")
    (folder / "Caddyfile").write_text("{\n\tadmin off\n}\n" + site)
    return [installed("caddy", "caddy"), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


@contextmanager
def running(command: Command, folder: Path, url: str) -> Iterator[None]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    with (folder / "log").open("w") as log, subprocess.Popen(command, env=environment, stderr=log, stdout=log) as proxy:
        try:
            assert until(lambda: _answers(url), 20), (folder / "log").read_text()
            yield
        finally:
            proxy.terminate()
            proxy.wait(10)


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/livez", timeout=1).status_code == 200
    except requests.ConnectionError:
        return False


@pytest.fixture(scope="module")
def door(platform: Platform) -> Iterator[int]:
    """The port of a gateway that believes one proxy."""
    port = free_port()
    platform.open_door("behind a proxy", port, TRUSTED_PROXIES="1")
    platform.ready(f"http://127.0.0.1:{port}")
    yield port
    platform.processes.end("behind a proxy")


@pytest.fixture(params=[nginx, caddy], ids=["nginx", "caddy"], scope="module")
def proxy(request: pytest.FixtureRequest, door: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a proxy in front of it."""
    make: Callable[[Path, int, int], Command] = request.param
    folder, port = tmp_path_factory.mktemp("proxy"), free_port()
    url = f"http://127.0.0.1:{port}"
    with running(make(folder, port, door), folder, url):
        yield url


def _asked(member: Member, method: str, url: str, **more: object) -> requests.Response:
    headers = {"Authorization": f"Bearer {member.tokens['access_token']}", "Accept-Encoding": "gzip"}
    headers |= more.pop("headers", {})  # type: ignore[arg-type]
    return requests.request(method, url, headers=headers, timeout=10, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("parts", [2, 60])  # the gateway presses longer answers itself
def test_a_change_builds_on_what_came_pressed(platform: Platform, proxy: str, parts: int) -> None:
    host = platform.join("Tariq", ("trainer",))
    event = host.post("/v1/events", an_event(description="Bring a part. " * parts))
    address = f"{proxy}/v1/events/{event['id']}"
    shown = _asked(host, "GET", address)
    assert shown.headers.get("Content-Encoding") == "gzip" or parts == 2, "Caddy leaves short answers alone"
    seen = {"If-Match": shown.headers["ETag"]}
    changed = _asked(host, "PATCH", address, json={"place": "The kitchenette"}, headers=seen)
    assert changed.status_code == 200, (seen, changed.text)
    stale = _asked(host, "PATCH", address, json={"place": "The hall"}, headers=seen)
    assert stale.status_code == 412
    again = _asked(host, "GET", address)
    unchanged = _asked(host, "GET", address, headers={"If-None-Match": again.headers["ETag"]})
    assert unchanged.status_code == 304


def test_each_line_of_the_stream_comes_at_once(platform: Platform, proxy: str) -> None:
    host, reader = platform.join("Tariq", ("trainer",)), platform.join("Rosa")
    headers = {"Authorization": f"Bearer {reader.tokens['access_token']}"}
    with requests.get(f"{proxy}/v1/notifications/stream", headers=headers, stream=True, timeout=10) as stream:
        lines = stream.iter_lines(chunk_size=1, decode_unicode=True)
        next(lines)
        event = host.post("/v1/events", an_event(title="Bread at eight", audience={"everyone": True}))
        host.post(f"/v1/events/{event['id']}/publish", status=200)
        until_then = time.monotonic() + 10
        assert any("Bread at eight" in line for line in lines if time.monotonic() < until_then)


def test_browsers_sign_in_through_it(platform: Platform, proxy: str) -> None:
    member = platform.join()
    body = {"email": member.profile["email"], "password": "no password of theirs"}
    own = requests.post(f"{proxy}/v1/sessions/browser", json=body, headers={"Origin": proxy}, timeout=10)
    assert own.json()["code"] == "sign_in_refused", "the page's own origin is known through the proxy"
    other = requests.post(
        f"{proxy}/v1/sessions/browser", json=body, headers={"Origin": "https://a.example"}, timeout=10
    )
    assert other.json()["code"] == "foreign_origin"
