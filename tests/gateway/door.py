"""The gateway as it is run: gunicorn, gevent, its own process."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import requests
from flask import Response, request

from deploy.local import private
from gateway import app, health, rpc, stream
from gateway.auth import public

ROOT = Path(__file__).parents[2]


def create() -> app.Gateway:
    """The gateway with addresses that call `tests.echo`, so that real services on the same broker don't mind."""
    health.CAPABILITIES = ("tests.echo", "tests.inbox")
    stream.INBOX = "tests.inbox"
    gateway = app.create()

    @gateway.post("/call/<method>")
    @public
    def ask(method: str) -> Any:
        return {"result": rpc.call("tests.echo", method, **request.get_json())}

    @gateway.get("/call/nobody")
    @public
    def ask_nobody() -> Any:
        return {"result": rpc.call("tests.nobody", "echo")}

    @gateway.get("/waiting")
    @public
    def waiting() -> Response:
        return Response(str(len(gateway.extensions["rpc"]._waiting)))

    return gateway


class Door:
    """A gateway process from `with` to its end; `more` is its environment."""

    def __init__(self, folder: Path, **more: str) -> None:
        (port,) = private.free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        self._log = folder / "gateway.log"
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
        defaults = {"STREAM_HEARTBEAT": "0.5", "PORT": str(port), "PYTHONUNBUFFERED": "1"}
        self._environment = kept | defaults | more

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
        """What it has written so far."""
        return self._log.read_text()

    def wait_for(self, words: str, times: int = 1, seconds: float = 20) -> None:
        """Return when the log has these words."""
        until = time.monotonic() + seconds
        while self.log.count(words) < times:
            assert time.monotonic() < until, f"no {words!r} in\n{self.log}"
            assert self.process.poll() is None, self.log
            time.sleep(0.05)

    def call(self, method: str, **kwargs: Any) -> requests.Response:
        """Have it call `tests.echo`."""
        return requests.post(f"{self.url}/call/{method}", json=kwargs, timeout=30)
