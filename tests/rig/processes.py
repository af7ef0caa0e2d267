"""The platform's processes, as tests start, kill and ask them."""

import itertools
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import pymongo
import requests
from amqp.exceptions import NotFound

from deploy.capabilities import capabilities
from deploy.local.clock import Clock
from services.chassis.messaging import hearers
from tests.rig.wire import connection

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery staple"
# Tests, measurements and experiments all come from one address, and send much.
LIMITS = ("RATE_LIMIT", "RATE_LIMIT_ANONYMOUS", "RATE_LIMIT_SIGN_IN", "VOICES_A_DAY", "LINES_AN_HOUR")
UNLIMITED = dict.fromkeys(LIMITS, "1000000")


class Processes:
    """Real processes by name, each with its own log."""

    python = sys.executable

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.environment = environment
        self.folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a process; what it prints is kept."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [self.python, *command],
                cwd=ROOT,
                env=self.environment | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,  # with the workers that it starts
            )
        return self._running[name]

    def log(self, name: str) -> str:
        """The output of a process so far."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def until(self, name: str, words: str, seconds: float = 30) -> str:
        """The log, once these words are in it."""
        until = time.monotonic() + seconds
        while words not in self.log(name):
            alive = self._running[name].poll() is None
            assert alive, f"{name} died without saying {words!r}:\n{self.log(name)}"
            assert time.monotonic() < until, f"{name} never said {words!r}:\n{self.log(name)}"
            time.sleep(0.05)
        return self.log(name)

    def pid(self, name: str) -> int:
        """The process of this name."""
        return self._running[name].pid

    def kill(self, name: str) -> None:
        """End a process as a crash would."""
        process = self._running[name]
        process.kill()
        process.wait(10)

    def end(self, name: str, seconds: float = 25) -> int:
        """Ask a process to stop; return its exit status."""
        process = self._running[name]
        process.send_signal(signal.SIGTERM)
        return process.wait(seconds)

    def stop(self) -> None:
        """Kill all processes that still run, and their children, without waiting for an orderly stop."""
        living = [process for process in self._running.values() if process.poll() is None]
        for process in living:
            os.killpg(process.pid, signal.SIGKILL)
        for process in living:
            process.wait(10)


def until(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """Wait until a condition is true; return its value."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def forget_messages(amqp_uri: str) -> None:
    """Empty the queues of the platform's handlers: the broker outlives a test, its messages must not."""
    open_connection = connection(amqp_uri)
    for queue in itertools.chain.from_iterable(hearers(capabilities()).values()):
        with suppress(NotFound):
            open_connection.channel().queue_purge(queue)
    open_connection.close()


class Member:
    """A signed-in member, speaking HTTP."""

    def __init__(self, url: str, profile: dict[str, Any], tokens: dict[str, Any]) -> None:
        self.url, self.profile, self.tokens = url, profile, tokens
        self.id: str = tokens["member_id"]
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {tokens['access_token']}"

    def at(self, url: str) -> "Member":
        """The same member at another gateway."""
        return Member(url, self.profile, self.tokens)

    def ask(self, method: str, path: str, status: int = 200, **kwargs: Any) -> Any:
        """The JSON of an answer that must have this status."""
        answer = self._session.request(method, self.url + path, timeout=10, **kwargs)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def get(self, path: str, **kwargs: Any) -> Any:
        return self.ask("GET", path, **kwargs)

    def post(self, path: str, json: Any = None, status: int = 201, **kwargs: Any) -> Any:
        return self.ask("POST", path, status, json=json, **kwargs)

    def inbox(self, count: int, seconds: float = 20) -> list[dict[str, Any]]:
        """The notifications, newest first, once there are this many; fails when there are more or they don't come."""
        until = time.monotonic() + seconds
        while True:
            found: list[dict[str, Any]] = []
            cursor = None
            while cursor or not found:
                page = self.get("/v1/notifications", params={"limit": 100, **({"cursor": cursor} if cursor else {})})
                found += page["items"]
                cursor = page["next"]
                if not cursor:
                    break
            assert len(found) <= count, f"{len(found)} notifications instead of {count}"
            if len(found) == count:
                return found
            assert time.monotonic() < until, f"{len(found)} notifications instead of {count}"
            time.sleep(0.1)


class Platform:
    """Four services and the gateway."""

    SERVICES = ("members", "events", "feedback", "notifications")

    def __init__(self, processes: Processes) -> None:
        self.processes = processes
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.administrator: Member
        self.clock = Clock(processes.folder)
        self.clock.prepare()
        processes.environment = processes.environment | {"CLOCK_FILE": str(self.clock.file)}

    @classmethod
    @contextmanager
    def running(cls, environment: dict[str, str], folder: Path) -> Iterator[Self]:
        """A platform in databases of its own, started, and ended in any case."""
        own = environment | {"MONGO_DATABASE_PREFIX": f"test_{secrets.token_hex(4)}_"}
        made = cls(Processes(own, folder))
        try:
            made.start()
            yield made
        finally:
            made.processes.stop()

    def start(self) -> None:
        forget_messages(self.processes.environment["AMQP_URI"])
        for name in self.SERVICES:
            self.serve(name)
        self.open_door("gateway", self.port)
        self.ready()
        self.administrator = self.make_administrator("root@hub.example")

    def serve(self, name: str) -> None:
        """Start a service, for the first time or again."""
        self.processes.start(name, "-m", f"services.{name}")

    def open_door(self, name: str, port: int, **settings: str) -> None:
        """Start a gateway, for the first time or again."""
        command = ("-m", "gunicorn", "-c", "gateway/gunicorn.conf.py", "gateway.app:create()")
        self.processes.start(name, *command, PORT=str(port), **settings)

    def restart(self, name: str) -> None:
        """Kill a service and start it again; done when it serves."""
        served = self.processes.log(name).count("serving")
        self.processes.kill(name)
        self.serve(name)
        until = time.monotonic() + 30
        while self.processes.log(name).count("serving") == served:
            assert time.monotonic() < until, f"{name} does not serve again"
            time.sleep(0.05)

    def move(self, **by: float) -> None:
        """Move the clock of all processes on, by `weeks=5` or so. Not for the platform that tests share."""
        self.clock.move(timedelta(**by))

    @contextmanager
    def other_door(self) -> Iterator[str]:
        """The address of a second gateway, from `with` to its end."""
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        self.open_door("other gateway", port)
        self.ready(url)
        try:
            yield url
        finally:
            self.processes.end("other gateway")

    def ready(self, url: str = "", seconds: float = 60) -> None:
        """Wait until a gateway says that everything answers."""
        until = time.monotonic() + seconds
        answer = "nothing"
        while time.monotonic() < until:
            try:
                found = requests.get(f"{url or self.url}/readyz", timeout=5)
                if found.ok:
                    return
                answer = found.text
            except (requests.ConnectionError, requests.Timeout) as error:
                answer = str(error)
            time.sleep(0.1)
        raise AssertionError(f"not ready: {answer}")

    def make_administrator(self, email: str) -> Member:
        """An administrator, made on the command line."""
        subprocess.run(
            [sys.executable, "-m", "services.members", "add-administrator", "--email", email, "--name", "Root"],
            cwd=ROOT,
            env=self.processes.environment | {"HEARTH_ADMIN_PASSWORD": PASSWORD},
            check=True,
            capture_output=True,
            timeout=60,
        )
        return self.known(self.sign_in(email))

    def known(self, member: Member) -> Member:
        """Wait until notifications has heard of a member. A new member may miss announcements of a moment before."""
        environment = self.processes.environment
        until = time.monotonic() + 15
        with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"]) as client:
            people = client[environment["MONGO_DATABASE_PREFIX"] + "notifications"].people
            while people.find_one({"_id": member.id}) is None:
                assert time.monotonic() < until, "notifications never heard of this member"
                time.sleep(0.02)
        return member

    def sign_in(self, email: str) -> Member:
        answer = requests.post(f"{self.url}/v1/sessions", json={"email": email, "password": PASSWORD}, timeout=10)
        assert answer.status_code == 201, answer.text
        tokens = answer.json()
        profile = requests.get(
            f"{self.url}/v1/me", headers={"Authorization": f"Bearer {tokens['access_token']}"}, timeout=10
        )
        return Member(self.url, profile.json(), tokens)

    def join(self, name: str = "Amara Okafor", roles: tuple[str, ...] = ("coworker",), **profile: Any) -> Member:
        """A new member, invited and registered."""
        email = f"{secrets.token_hex(6)}@hub.example"
        invitation = self.administrator.post("/v1/invitations", {"email": email, "roles": list(roles)})
        answer = requests.post(
            f"{self.url}/v1/members",
            json={"code": invitation["code"], "name": name, "password": PASSWORD, **profile},
            timeout=10,
        )
        assert answer.status_code == 201, answer.text
        return self.known(self.sign_in(email))
