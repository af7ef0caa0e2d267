"""The gateway as it is run: gunicorn, gevent, its own process."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import requests
from flask import request

from deploy.local import private
from gateway import app, sheets, worker
from gateway.bus import rpc, stream
from gateway.door.auth import public
from services.contracts.calling import Call
from services.contracts.shapes.feedback import Voice
from tests.rig.processes import UNLIMITED

ROOT = Path(__file__).parents[2]


def create() -> app.Gateway:
    """The gateway with addresses that call what tests answer, so that real services on the same broker don't mind."""
    app.capabilities = lambda: ["tests.echo", "tests.inbox"]
    stream.CATCH_UP = replace(stream.CATCH_UP, capability="tests.inbox")
    worker.STALLED = float(os.environ.get("STALLED", worker.STALLED))
    gateway = app.create()

    @gateway.post("/call/<capability>/<method>")
    @public
    def ask(capability: str, method: str) -> Any:
        return {"result": rpc.call(_asked(capability, method), **request.get_json())}

    @gateway.post("/signed-in/<method>")
    def ask_signed_in(method: str) -> Any:
        return {"result": rpc.call(_asked("tests.echo", method), **request.get_json())}

    @gateway.get("/exported")
    def export() -> Any:
        return sheets.sheet(Voice(), lambda **part: rpc.call(_asked("tests.echo", "browse"), **part), None)

    @gateway.get("/held")
    @public
    def held() -> Any:
        guards = gateway.extensions["rpc"]._guards.values()
        return {
            "waiting": len(gateway.extensions["rpc"]._waiting) + sum(guard._waiting for guard in guards),
            "channels": len(gateway.link._connection.channels),
        }

    @gateway.post("/sabotaged")
    @public
    def sabotage() -> Any:
        """The next write fails as no broker would have it."""

        def fail(_frames: bytes) -> None:
            raise AssertionError("two at one socket")

        gateway.link._connection.transport.write = fail
        return {}

    return gateway


def _asked(capability: str, method: str) -> Call:
    return Call(capability, method, "Do as the tests want.", public=True)


class Door:
    """A gateway process from `with` to its end; `more` is its environment."""

    def __init__(self, folder: Path, **more: str) -> None:
        (port,) = private.free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        self._log = folder / "gateway.log"
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
        defaults = {"STREAM_HEARTBEAT": "0.5", "STOP_NOTICE": "0", "PORT": str(port), "PYTHONUNBUFFERED": "1"}
        self._environment = kept | defaults | UNLIMITED | more

    def __enter__(self) -> Self:
        command = ["-m", "gunicorn", "-c", "gateway/gunicorn.conf.py", "tests.gateway.door:create()"]
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )
        self.wait_for("broker connected")
        return self

    def __exit__(self, *_error: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)

    @property
    def log(self) -> str:
        """The log of the process so far."""
        return self._log.read_text()

    def wait_for(self, words: str, times: int = 1, seconds: float = 20) -> None:
        """Return when the log has these words."""
        until = time.monotonic() + seconds
        while self.log.count(words) < times:
            assert time.monotonic() < until, f"no {words!r} in\n{self.log}"
            assert self.process.poll() is None, self.log
            time.sleep(0.05)

    @property
    def worker(self) -> Path:
        """The folder under /proc of its only worker."""
        (pid,) = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return Path("/proc", pid)

    def held(self) -> dict[str, int]:
        """The resources that calls hold in it: `waiting` (greenlets), `channels`, `handles`; its `memory` in KiB."""
        lines = (self.worker / "status").read_text().splitlines()
        (memory,) = (int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
        handles = len(list((self.worker / "fd").iterdir()))
        return requests.get(f"{self.url}/held", timeout=5).json() | {"handles": handles, "memory": memory}

    def call(self, method: str, capability: str = "tests.echo", **kwargs: Any) -> requests.Response:
        """Have it call a capability."""
        return requests.post(f"{self.url}/call/{capability}/{method}", json=kwargs, timeout=30)
