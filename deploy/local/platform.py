"""The platform as a whole: its parts, its state, and bringing it up and down."""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from honcho.environ import parse_procfile

from deploy.local import CannotRun, door, private
from deploy.local.broker import Broker
from deploy.local.clock import Clock
from deploy.local.given import MANAGEMENT
from deploy.local.keys import Keys
from deploy.local.lock import Lock
from deploy.local.output import Files, Output, Screen
from deploy.local.program import Ledger, Program, clear
from deploy.local.store import Store
from deploy.local.supervisor import PATIENCE, TICK, Stopped, Supervisor

ROOT = Path(__file__).parents[2]
GATEWAY = "gateway"
ABANDONED = "make stop ends them, make run ends them and starts anew."
WITHIN = 90.0  # seconds for the servers, and as many for the processes, to become ready on a slow machine


class Platform:
    """A platform with one folder of state (`base`) and the processes that a Procfile names."""

    def __init__(self, base: Path, procfile: Path, *, movable: bool = False) -> None:
        self._base = base.resolve()
        self._procfile = procfile.resolve()
        self._processes = parse_procfile(procfile.read_text()).processes
        self._ledger = Ledger(self._base)
        self._lock = Lock(self._base)
        self.clock = Clock(self._base)
        self._movable = movable
        self._state = self._base / "platform.json"
        self._logs = self._base / "logs"

    # Its parts

    def _servers(self, output: Output) -> list[Broker | Store]:
        """Our own broker and store, except those that are given."""
        servers: list[Broker | Store] = []
        if not os.environ.get("AMQP_URI"):
            servers.append(Broker(self._base, output.say))
        if not os.environ.get("MONGO_URI"):
            servers.append(Store(self._base))
        return servers

    def _settings(self, servers: list[Broker | Store], keys: Keys) -> dict[str, str]:
        """The environment variables of the processes."""
        uris: dict[str, str] = {}
        for server in servers:
            if isinstance(server, Broker):
                uris |= {"AMQP_URI": server.uri, MANAGEMENT: server.management_uri}
            else:
                uris |= {"MONGO_URI": server.uri}
        return {
            "AMQP_URI": os.environ.get("AMQP_URI", ""),
            "MONGO_URI": os.environ.get("MONGO_URI", ""),
            MANAGEMENT: os.environ.get(MANAGEMENT, ""),
            **uris,
            "CLOCK_FILE": str(self.clock.file) if self.clock.movable else "",
            "TOKEN_JWKS_FILE": str(keys.jwks_file),
            "TOKEN_PRIVATE_KEY_FILE": str(keys.private_key_file),
            "HOST": os.environ.get("HOST") or "127.0.0.1",
            "PORT": os.environ.get("PORT") or "8000",
            "LOG_FORMAT": os.environ.get("LOG_FORMAT") or "text",
            "MONGO_DATABASE_PREFIX": os.environ.get("MONGO_DATABASE_PREFIX") or "hearth_",
        }

    def _program(self, name: str, settings: dict[str, str]) -> Program:
        environment = os.environ | settings
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        environment["PYTHONUNBUFFERED"] = "1"
        del environment[MANAGEMENT]
        if (first := os.environ.get("METRICS_PORT", "0")).isdigit() and int(first):  # processes can't share a port
            environment["METRICS_PORT"] = str(int(first) + list(self._processes).index(name))
        if name != "members":  # the key's holder could sign in as any member
            del environment["TOKEN_PRIVATE_KEY_FILE"]
        if name == GATEWAY:
            del environment["MONGO_URI"]
        command = shlex.split(self._processes[name])
        command[0] = shutil.which(command[0], path=environment["PATH"]) or command[0]
        return Program(name, command, environment)

    # Its state

    @property
    def runs(self) -> bool:
        """True while a supervisor of this folder is alive."""
        return self._lock.held

    @property
    def remains(self) -> list[str]:
        """The names of processes that still run although their supervisor was killed."""
        return [] if self.runs else list(dict.fromkeys(life.name for life in self._ledger.everything()))

    def _already(self) -> str:
        url = private.read_json(self._state).get("url")
        return f"Hearth runs already: {url} (make stop ends it)" if url else "Hearth starts or stops just now."

    def settings(self) -> dict[str, str]:
        """The environment variables of the running platform's processes, also if its supervisor was killed."""
        if not (self.runs or self.remains):
            raise CannotRun("Hearth is not running.")
        return dict(private.read_json(self._state).get("settings", {}))

    def status(self) -> list[str]:
        """A line for the platform, then a line for each process."""
        state, lives = private.read_json(self._state), self._ledger.living()
        if self.runs:
            first = f"Hearth is {'ready' if state.get('ready') else 'starting'}: {state.get('url')}"
        elif lives := self._ledger.everything():
            first = f"Hearth's supervisor was killed, and these still run: {ABANDONED}"
        else:
            return ["Hearth is not running."]
        return [first, *(f"  {life.name:14} pid {life.pid}" for life in lives)]

    # Up and down

    def up(self) -> int:
        """Runs the platform in the background and repeats the output of `serve`. Returns 0 once it is ready."""
        if self.runs:
            print(self._already())
            return self._wait_for_other()
        logs = Files(self._logs)
        with logs.target("platform") as log:
            command = [sys.executable, "-m", "deploy.local", "--base", str(self._base)]
            command += ["--procfile", str(self._procfile), "supervise", *(["--movable"] if self._movable else [])]
            child = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        with logs.path("platform").open() as words:
            try:
                while True:
                    code, ready = child.poll(), private.read_json(self._state).get("ready") == child.pid
                    print(words.read(), end="", flush=True)
                    if ready or code is not None:
                        return 0 if ready else code or 1
                    time.sleep(TICK)
            except KeyboardInterrupt:
                child.terminate()
                child.wait()
                print(words.read(), end="", flush=True)
                return 130

    def _wait_for_other(self) -> int:
        """Waits until the platform that another process brings up is ready."""
        while not private.read_json(self._state).get("ready"):
            if not self.runs:
                return 1
            time.sleep(TICK)
        return 0

    def serve(self, *, foreground: bool) -> None:
        """Brings everything up and keeps it up. Returns after a request to stop, once all processes have ended."""
        files = Files(self._logs)
        output = Screen(list(self._processes), files) if foreground else files
        supervisor = Supervisor(ROOT, self._ledger, output)
        with self._lock.hold() as alone:
            if not alone:
                print(self._already())
                return
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, supervisor.stop)
            self._state.unlink(missing_ok=True)  # a crashed platform may have left a state that says ready
            try:
                if leftovers := self._end_leftovers():
                    output.say(_ended(leftovers))
                with contextlib.suppress(Stopped):
                    self._bring_up(supervisor, output)
                    supervisor.watch()
                output.say("Stopping …")
            finally:
                supervisor.end()
                self._end_leftovers()
                self._state.unlink(missing_ok=True)
            output.say("Hearth has stopped.")

    def _bring_up(self, supervisor: Supervisor, output: Output) -> None:
        host, port = door.address()
        if not private.is_free(port, host):
            raise CannotRun(f"Another program listens on {host}:{port}. Choose another port: PORT={port + 1}.")
        servers, keys = self._servers(output), Keys(self._base)
        keys.prepare()
        if self._movable:
            self.clock.prepare()
        for server in servers:
            server.prepare()
        settings = self._settings(servers, keys)
        url = f"http://{host}:{port}"
        private.write_json(self._state, {"url": url, "settings": settings})

        if servers:
            output.say(f"Starting {' and '.join(server.name for server in servers)} …")
            supervisor.start([program for server in servers for program in server.programs()])
            supervisor.until(lambda: " and ".join(s.name for s in servers if not s.answers()), within=WITHIN)
        output.say(f"Starting {', '.join(self._processes)} …")
        supervisor.start([self._program(name, settings) for name in self._processes if name != GATEWAY])
        supervisor.start([self._program(GATEWAY, settings)])
        supervisor.until(lambda: ", ".join(door.missing(host, port)), within=WITHIN)
        output.say(f"Hearth is ready: {url} (docs: /docs)")
        private.write_json(self._state, {"url": url, "settings": settings, "ready": os.getpid()})

    @contextlib.contextmanager
    def store_alone(self) -> Iterator[str]:
        """Runs only the store while the block lasts, and yields its address. Raises CannotRun if the platform runs."""
        with self._lock.hold() as alone:
            if not alone:
                raise CannotRun(self._already())
            self._end_leftovers()
            store, supervisor = Store(self._base), Supervisor(ROOT, self._ledger, Files(self._logs))
            store.prepare()
            try:
                supervisor.start(store.programs())
                supervisor.until(lambda: "" if store.answers() else store.name, within=WITHIN)
                yield store.uri
            finally:
                supervisor.end()

    def stop(self) -> str:
        """Ends the platform, or the leftovers of a crashed one. Returns a sentence about it."""
        ran = self._lock.take_away(patience=4 * PATIENCE)
        if (leftovers := self._end_leftovers()) and not ran:
            return _ended(leftovers)
        return "Hearth has stopped." if ran else "Hearth is not running."

    def reset(self) -> str:
        """Stops and forgets everything: data, keys, passwords, logs."""
        self.stop()
        for ledger in self._base.rglob(Ledger.FILE):  # also those of interrupted tests
            clear(Ledger(ledger.parent), patience=PATIENCE)
        shutil.rmtree(self._base, ignore_errors=True)
        return f"{self._base} is gone."

    def _end_leftovers(self) -> list[str]:
        return clear(self._ledger, patience=PATIENCE)


def _ended(leftovers: list[str]) -> str:
    return f"Ended what an earlier run had left behind: {', '.join(leftovers)}."
