"""The store of the checkout: SecantusDB, which speaks MongoDB's wire protocol, as a process of its own."""

import os
import socket
import sys
from pathlib import Path

from deploy.local import CannotRun, private
from deploy.local.program import Program

SWEPT_EVERY = 3600  # seconds; to find what has expired it reads all rows, and serves nobody for 2 s per 100,000
CACHE = "1G"  # at most; the store slows when the lines and indexes in use do not fit


class Store:
    """A store on the loopback address with its data in `<base>/store`.

    `uri` switches retryable writes off: this server slows with the number of recent ones.
    """

    name = "store"

    def __init__(self, base: Path) -> None:
        self._folder = base / "store"
        self._port = 0

    @property
    def uri(self) -> str:
        return f"mongodb://127.0.0.1:{self._port}/?retryWrites=false"

    def prepare(self) -> None:
        """Chooses the port again that it had before, if that is still free; otherwise another."""
        memory = self._folder / "settings.json"
        self._port = private.read_json(memory).get("port", 0)
        if not self._port or not private.is_free(self._port):
            [self._port] = private.free_ports(1)
            private.write_json(memory, {"port": self._port})
        # Also keeps the server from looking for settings elsewhere.
        private.write(self._folder / "secantusd.toml", f"[storage]\nttl_sweep_seconds = {SWEPT_EVERY}\n")

    def programs(self) -> list[Program]:
        server = Path(sys.executable).with_name("secantusd-py")
        if not server.exists():
            raise CannotRun("The embedded store is not installed beside this Python: make run, or set MONGO_URI.")
        # Not --sync-on-commit: writes that must outlive a crash ask for the journal, the others need not wait.
        command = [
            *(str(server), "--config", str(self._folder / "secantusd.toml"), "--standalone"),
            *("--host", "127.0.0.1", "--port", str(self._port), "--storage-path", str(self._folder / "data")),
            *("--cache-size", CACHE, "--log-level", "WARNING"),
        ]
        return [Program(self.name, command, os.environ)]

    def answers(self) -> bool:
        """Whether it accepts connections, which it does only once its data is open."""
        try:
            socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
        except OSError:
            return False
        return True
