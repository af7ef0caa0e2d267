"""`python -m tests.bench`: see the package."""

import os
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any

import pymongo
from rich.console import Console

from deploy.local.keys import Keys
from deploy.local.platform import ROOT
from tests import backends
from tests.bench import load, measures, rows
from tests.processes import UNLIMITED, Platform, Processes

PARTS = ("memory", "me", "fanout")
SCALES: dict[str, dict[str, Any]] = {
    "smoke": {"runs": 3, "seconds": 2.0, "people": 10_000},
    "full": {"runs": 5, "seconds": 8.0, "people": 10_000},
}
WIDTH = 130


class Known(Processes):
    """Processes whose pids are known."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        super().__init__(environment, folder)
        self.pids: dict[str, int] = {}

    def start(self, name: str, *command: str, **environment: str) -> "Popen[bytes]":
        process = super().start(name, *command, **environment)
        self.pids[name] = process.pid
        return process


def _chosen() -> tuple[list[str], str]:
    only = [part for part in os.environ.get("ONLY", "").split(",") if part] or list(PARTS)
    scale = os.environ.get("SCALE") or "full"
    if unknown := set(only) - set(PARTS):
        sys.exit(f"ONLY knows {', '.join(PARTS)}, not {', '.join(sorted(unknown))}.")
    if scale not in SCALES:
        sys.exit(f"SCALE is one of {', '.join(SCALES)}, not {scale}.")
    return only, scale


@contextmanager
def _platform(backend: backends.Backend, prefix: str) -> Iterator[tuple[Platform, Known]]:
    """A platform as it is delivered, but for its rate limits, with databases of its own."""
    with tempfile.TemporaryDirectory() as folder:
        keys = Keys(Path(folder))
        keys.prepare()
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV") if name in os.environ},
            "TOKEN_JWKS_FILE": str(keys.jwks_file),
            "TOKEN_PRIVATE_KEY_FILE": str(keys.private_key_file),
            "AMQP_URI": backend.amqp_uri,
            "MONGO_URI": backend.mongo_uri,
            "MONGO_DATABASE_PREFIX": prefix,
            **UNLIMITED,
        }
        processes = Known(environment, Path(folder))
        platform = Platform(processes)
        try:
            platform.start()
            yield platform, processes
        finally:
            processes.stop()


def main() -> None:
    """Measures, shows, and writes build/bench.json."""
    (only, scale), console = _chosen(), Console(highlight=False, width=WIDTH if not sys.stdout.isatty() else None)
    runs, seconds, people = (SCALES[scale][name] for name in ("runs", "seconds", "people"))
    prefix = f"bench_{uuid.uuid4().hex[:8]}_"
    measured: list[rows.Row] = []
    with backends.start() as backend, pymongo.MongoClient[dict[str, Any]](backend.mongo_uri) as client:
        about = {"machine": rows.machine(), "backends": backend.described, "load": load.GENERATOR, "scale": scale}
        for line in (about["machine"], backend.described, f"load: {load.GENERATOR}; scale: {scale}"):
            console.print(line)
        with _platform(backend, prefix) as (platform, processes):
            if "memory" in only:
                measured += measures.memory(platform, processes.pids, console.print)
            if "me" in only:
                member = platform.join(tags_have=["bookkeeping"], tags_want=["3d printing"], what_i_do="Bookkeeping")
                measured.append(measures.me(platform, member, runs, seconds))
            if "fanout" in only:
                database = client[f"{prefix}notifications"]
                measured.append(measures.fanout(backend.amqp_uri, database, people, runs))
        for name in client.list_database_names():
            if name.startswith(prefix):
                client.drop_database(name)
    console.print(rows.table(measured))
    rows.save(ROOT / "build" / "bench.json", measured, **about)


if __name__ == "__main__":
    main()
