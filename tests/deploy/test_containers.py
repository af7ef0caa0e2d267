"""The platform in containers, from a clean clone: it comes up, tells its story, scales, heals, and keeps its data.

`make containers` runs this; the default run leaves it out, as building the images takes minutes.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from deploy.hub import bus
from deploy.local import private
from deploy.local.platform import ROOT
from deploy.secrets import SERVICES
from tests.rig.processes import PASSWORD, Member
from tests.rig.wire import connection

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1800)]
PORTS = ("PORT", "AMQP_PORT", "MANAGEMENT_PORT", "MONGO_PORT")
PARTS = (*SERVICES, "gateway", "rabbitmq", "mongo")
ROOT_EMAIL, AMARA_EMAIL = "root@hub.example", "amara@hub.example"
TELLS = "notifications.fanout.tell_the_administrators"


def run(*command: str, cwd: Path = ROOT, env: dict[str, str] | None = None, within: int = 1200) -> str:
    """Run a command and return its output. If the command fails, the test fails and shows all of it."""
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=within, check=False)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def until(true: Callable[[], Any], what: str, seconds: float = 120) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, what
        time.sleep(0.5)
    return found


def works(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, timeout=600, check=False).returncode == 0


def compose_command() -> list[str]:
    """The compose command of this machine. The test is skipped if it has no compose or no engine answers."""
    if (
        shutil.which("docker") is None
        or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode
    ):
        pytest.skip("no container engine answers")
    if not subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode:
        return ["docker", "compose"]
    return [shutil.which("docker-compose") or pytest.skip("there is no docker compose")]


def has_mongo() -> bool:
    """True if the image of MongoDB is available. Another image may have its name, so its content is checked."""
    image = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["mongo"]["image"]
    return works("docker", "run", "--rm", "--entrypoint", "sh", image, "-c", "command -v docker-entrypoint.sh")


class Containers:
    """A clone of this checkout's HEAD, and the containers that are made from it."""

    def __init__(self, folder: Path) -> None:
        self.clone = folder / f"hearth{os.getpid()}"  # which names the containers, too
        run("git", "clone", "--quiet", str(ROOT), str(self.clone))
        files = ["docker-compose.yml"] + ([] if has_mongo() else ["tests/deploy/embedded/docker-compose.yml"])
        print("\ncontainers from", *files)
        ports = dict(zip(PORTS, map(str, private.free_ports(len(PORTS))), strict=True))
        self.environment = os.environ | ports | {"RATE_LIMIT_SIGN_IN": "600"}
        self.url = f"http://127.0.0.1:{ports['PORT']}"
        self._compose = compose_command() + [each for file in files for each in ("-f", file)]

    def compose(self, *arguments: str) -> str:
        return run(*self._compose, *arguments, cwd=self.clone, env=self.environment)

    def up(self, *arguments: str) -> None:
        self.compose("up", "--detach", *arguments)
        until(self.well, "not everything became healthy")

    def ids(self, part: str) -> list[str]:
        return self.compose("ps", "-q", part).split()

    def state(self, container: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(run("docker", "inspect", container))[0]
        return found

    def well(self) -> bool:
        states = [self.state(each)["State"] for part in PARTS for each in self.ids(part)]
        if len(states) < len(PARTS) or any(
            each["Status"] != "running" or each["Health"]["Status"] != "healthy" for each in states
        ):
            return False
        try:  # the engine asks but now and then
            return requests.get(f"{self.url}/readyz", timeout=10).status_code == 200
        except requests.ConnectionError:
            return False

    def operator(self) -> dict[str, str]:
        """The operator's environment, as `. .secrets/operator.env` makes it."""
        shell = ["sh", "-c", '. .secrets/operator.env; printf "%s\\n" "$AMQP_URI" "$MONGO_URI" "$TOKEN_JWKS_FILE"']
        said = run(*shell, cwd=self.clone, env=self.environment).split()
        return self.environment | dict(zip(("AMQP_URI", "MONGO_URI", "TOKEN_JWKS_FILE"), said, strict=True))

    def sign_in(self, email: str) -> Member:
        credentials = {"email": email, "password": PASSWORD}
        answer = requests.post(f"{self.url}/v1/sessions", json=credentials, timeout=10)
        assert answer.status_code == 201, answer.text
        me = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        return Member(self.url, requests.get(f"{self.url}/v1/me", headers=me, timeout=10).json(), answer.json())

    def raise_voice(self, text: str) -> str:
        return str(self.sign_in(AMARA_EMAIL).post("/v1/feedback", {"text": text})["id"])

    def told(self, voices: set[str]) -> bool:
        """True if each of these voices is in the administrator's inbox. Fails if one is there twice."""
        member = self.sign_in(ROOT_EMAIL)
        lines: list[str] = []
        cursor = None
        while cursor or not lines:
            page = member.get("/v1/notifications", params={"limit": 100} | ({"cursor": cursor} if cursor else {}))
            lines += [line["link"].rpartition("/")[2] for line in page["items"]]
            if (cursor := page["next"]) is None:
                break
        found = [line for line in lines if line in voices]
        assert len(found) == len(set(found)), "somebody was told twice"
        return set(found) == voices


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    compose_command()
    made = Containers(tmp_path_factory.mktemp("clone"))
    run(sys.executable, "-m", "deploy.secrets", cwd=made.clone)
    try:
        made.compose("build", "--quiet")
        made.up()
        yield made
    finally:
        print(made.compose("logs", "--tail", "3"))
        made.compose("down", "--volumes")


@pytest.fixture(scope="module")
def peopled(containers: Containers) -> Containers:
    """With an administrator, who is told of voices, and Amara, who raises them."""
    containers.environment |= {"HEARTH_ADMIN_PASSWORD": PASSWORD}
    add = ["exec", "-T", "-e", "HEARTH_ADMIN_PASSWORD", "members", "python", "-m", "services.members"]
    containers.compose(*add, "add-administrator", "--email", ROOT_EMAIL, "--name", "Root")
    root = containers.sign_in(ROOT_EMAIL)
    invitation = root.post("/v1/invitations", {"email": AMARA_EMAIL, "roles": ["coworker"]})
    amara = {"code": invitation["code"], "name": "Amara", "password": PASSWORD}
    assert requests.post(f"{containers.url}/v1/members", json=amara, timeout=10).status_code == 201

    def known() -> bool:  # to notifications, which hears of new members a moment later
        voice = containers.sign_in(AMARA_EMAIL).post("/v1/feedback", {"text": "Does anybody hear me?"})
        time.sleep(1)
        return containers.told({voice["id"]})

    until(known, "notifications never heard of the administrator")
    return containers


def test_it_tells_its_story_and_is_healthy(containers: Containers) -> None:
    said = run(sys.executable, "-m", "deploy.demo", cwd=containers.clone, env=containers.operator())
    assert "What an outsider heard meanwhile" in said
    assert "Healthy." in run(
        sys.executable, "-m", "deploy.hub", "doctor", cwd=containers.clone, env=containers.operator()
    )


@pytest.mark.parametrize("part", [*SERVICES, "gateway"])
def test_a_part_can_write_nowhere_and_holds_no_other(containers: Containers, part: str) -> None:
    [container, *_] = containers.ids(part)
    assert run("docker", "exec", container, "id", "-u").strip() == "10001"
    write = subprocess.run(["docker", "exec", container, "touch", "/hearth/x"], capture_output=True, check=False)
    assert b"Read-only file system" in write.stderr
    folders = set(run("docker", "exec", container, "ls", "/hearth", "/hearth/services").split())
    assert not folders & ({*SERVICES, "gateway", "deploy", "tests"} - {part})
    secrets = set(run("docker", "exec", container, "ls", "/run/secrets").split())
    assert ("token_private_key.pem" in secrets) == (part == "members")
    assert ("mongo_uri" in secrets) == (part != "gateway")


def test_more_processes_share_a_backlog(peopled: Containers) -> None:
    peopled.compose("stop", "notifications")
    amara = peopled.sign_in(AMARA_EMAIL)
    voices = {amara.post("/v1/feedback", {"text": f"Voice {n}"})["id"] for n in range(200)}
    until(lambda: waiting(peopled) == (len(voices), 0), "they never waited")
    peopled.up("--no-recreate", "--scale", "notifications=3")
    until(lambda: peopled.told(voices), "not everybody was told")
    assert waiting(peopled) == (0, 3)
    assert len(peopled.ids("notifications")) == 3
    peopled.up("--no-recreate", "--scale", "notifications=1")


def waiting(containers: Containers) -> tuple[int, int]:
    """The number of waiting messages in the queue that tells administrators of voices, and its consumers."""
    opened = connection(containers.operator()["AMQP_URI"])
    found = bus.look(opened, TELLS)
    opened.close()
    assert found is not None
    return found.ready, found.consumers


@pytest.mark.parametrize("part", PARTS)
def test_what_dies_comes_back(peopled: Containers, part: str) -> None:
    [container] = peopled.ids(part)
    before = peopled.state(container)
    try:
        # Not `docker kill`, after which the engine leaves a container alone: somebody wanted that.
        os.kill(before["State"]["Pid"], signal.SIGKILL)
    except PermissionError:
        pytest.skip("only root may kill what runs in a container")
    until(lambda: peopled.state(container)["RestartCount"] > before["RestartCount"], f"{part} stays away")
    until(peopled.well, f"not everything is healthy after the death of {part}")
    voice = peopled.raise_voice(f"Said after the death of {part}")
    until(lambda: peopled.told({voice}), "nobody was told")


def test_down_and_up_keeps_everything(peopled: Containers) -> None:
    voice = peopled.raise_voice("Do you remember?")
    until(lambda: peopled.told({voice}), "nobody was told")
    peopled.compose("down")
    assert not peopled.ids("gateway")
    peopled.up()
    assert peopled.sign_in(AMARA_EMAIL).get(f"/v1/feedback/{voice}")["text"] == "Do you remember?"
    assert peopled.told({voice})
