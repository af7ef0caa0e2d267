"""The store of the checkout: SecantusDB, which speaks MongoDB's wire protocol, as a process of its own."""

import os
import secrets
import socket
import sys
from pathlib import Path
from typing import Any

from deploy.local import CannotRun, private
from deploy.local.program import Program

ROOT = Path(__file__).parents[2]
MEMORY = "settings.json"  # in the folder of the store: port, user and password
DATA = "data"

SWEPT_EVERY = 3600  # seconds; to find expired rows it reads all rows, and serves no request for 2 s per 100,000
CACHE = "1G"  # at most; the store slows down if the rows and indexes in use do not fit


class Store:
    """A store on the loopback address with its data in `<base>/store` and one user. Its password is made at first.

    `uri` holds the password. It switches retryable writes off: this server slows down with the number of recent ones.
    """

    name = "store"

    def __init__(self, base: Path) -> None:
        self._folder = base.resolve() / "store"
        self._memory: dict[str, Any] = {"port": 0}

    @property
    def uri(self) -> str:
        return "mongodb://{user}:{password}@127.0.0.1:{port}/?retryWrites=false".format_map(self._memory)

    def prepare(self) -> None:
        """Keeps user and password. Keeps the port if it is still free, and otherwise chooses another."""
        memory = {"user": "hearth", "password": secrets.token_urlsafe(24)} | private.read_json(self._folder / MEMORY)
        if "port" not in memory or not private.is_free(memory["port"]):
            [memory["port"]] = private.free_ports(1)
        self._memory = memory
        private.write_json(self._folder / MEMORY, memory)
        # Also keeps the server from looking for settings elsewhere.
        settings = f"[server]\nauth = true\n[storage]\nttl_sweep_seconds = {SWEPT_EVERY}\n"
        private.write(self._folder / "secantusd.toml", settings)

    def programs(self) -> list[Program]:
        server = Path(sys.executable).with_name("secantusd-py")
        if not server.exists():
            raise CannotRun("The embedded store is not installed beside this Python: make run, or set MONGO_URI.")
        # Not --sync-on-commit: writes that must survive a crash ask for the journal, and others need not wait.
        command = [
            *(str(server), "--config", str(self._folder / "secantusd.toml"), "--standalone"),
            *("--host", "127.0.0.1", "--port", str(self._memory["port"])),
            *("--storage-path", str(self._folder / DATA), "--cache-size", CACHE, "--log-level", "WARNING"),
        ]
        guard = [sys.executable, "-P", "-m", "deploy.local.guarded", str(self._folder)]
        return [Program(self.name, [*guard, *command], os.environ | {"PYTHONPATH": str(ROOT)})]

    def answers(self) -> bool:
        """True once it accepts connections. It does so when its data is open."""
        try:
            socket.create_connection(("127.0.0.1", self._memory["port"]), timeout=1).close()
        except OSError:
            return False
        return True
