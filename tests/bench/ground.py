"""The ground on which parts measure: a broker, a store, the platform or a few processes of it, and turns."""

import itertools
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import jwt
import pymongo
from bson.codec_options import CodecOptions
from pymongo.database import Database

from deploy.local.keys import Keys
from services.chassis.rows import JOURNALED
from tests.bench.rows import Row
from tests.rig.backends import Backends
from tests.rig.processes import UNLIMITED, Platform, Processes, forget_messages
from tests.rig.wire import connection

Document = dict[str, Any]
TOKENS_LAST = 3600.0  # seconds


@dataclass(frozen=True)
class Scale:
    """The size of a benchmark: `runs` per row, `seconds` per run of a load. With `million`, hubs grow to that size."""

    name: str
    runs: int
    seconds: int
    million: bool = False


SCALES = {each.name: each for each in (Scale("tiny", 1, 1), Scale("smoke", 3, 1), Scale("full", 3, 2))}
SCALES["million"] = replace(SCALES["full"], million=True)


class Whole(Platform):
    """The whole platform, in databases of `prefix`; it was ready for the first time after `took` seconds."""

    def __init__(self, processes: "Known") -> None:
        super().__init__(processes)
        self.took = self._began = 0.0
        self.prefix = processes.environment["MONGO_DATABASE_PREFIX"]
        self.pids = processes.pids

    def start(self) -> None:
        self._began = time.monotonic()
        super().start()

    def ready(self, url: str = "", seconds: float = 60) -> None:
        super().ready(url, seconds)
        self.took = self.took or time.monotonic() - self._began


class Known(Processes):
    """Processes whose pids are known."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        super().__init__(environment, folder)
        self.pids: dict[str, int] = {}

    def start(self, name: str, *command: str, **environment: str) -> "subprocess.Popen[bytes]":
        process = super().start(name, *command, **environment)
        self.pids[name] = process.pid
        return process

    def end(self, name: str, seconds: float = 25) -> int:
        self.pids.pop(name, None)
        return super().end(name, seconds)


class Ground:
    """The servers and tools given to a part. `say` prints a line. `turned` gets the number of turns done and in all."""

    def __init__(self, backend: Backends, scale: Scale, folder: Path) -> None:
        self.backend, self.scale, self.folder = backend, scale, folder
        self.say: Callable[[str], None] = print
        self.turned: Callable[[int, int], None] = lambda _done, _of: None
        self.client = pymongo.MongoClient[Document](backend.mongo_uri)
        self._keys = Keys(folder)
        self._keys.prepare()
        self._mark, self._numbers = f"bench_{secrets.token_hex(4)}_", itertools.count()
        self.environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV") if name in os.environ},
            "TOKEN_JWKS_FILE": str(self._keys.jwks_file),
            "TOKEN_PRIVATE_KEY_FILE": str(self._keys.private_key_file),
            "AMQP_URI": backend.amqp_uri,
            "MONGO_URI": backend.mongo_uri,
            **UNLIMITED,
        }
        self._platform: Whole | None = None

    @property
    def tiny(self) -> bool:
        """True if the run only checks that the benchmark works. Nothing is done twice then."""
        return self.scale.name == "tiny"

    def size(self, tiny: int, smoke: int, full: int) -> int:
        """Return the number for this scale."""
        return {"tiny": tiny, "smoke": smoke, "full": full}[self.scale.name]

    def measure(
        self,
        rows: Row | Sequence[Row],
        value: Callable[[], Any],
        limit: Callable[[], Any],
        *,
        warm: bool = True,
        runs: int = 0,
        turns: int = 1,
    ) -> None:
        """Take both in turn; a run is the median of its values, beside that of the limits between and around them.

        For several rows both give a figure for each. Both are done once before, to `warm` up, which does not count.
        `runs` are those of the scale unless more are needed; each has more `turns` where a short stop of the machine
        would decide one.
        """
        rows, runs = [rows] if isinstance(rows, Row) else rows, runs or self.scale.runs
        if warm and not self.tiny:
            limit(), value()
        last, done, of = _figures(limit()), 0, runs * turns
        for _ in range(runs):
            values, limits = list[tuple[float, ...]](), [last]
            for _ in range(turns):
                values.append(_figures(value()))
                limits.append(last if self.tiny else _figures(limit()))
                self.turned(done := done + 1, of)
            for row, ones, others in zip(rows, zip(*values, strict=True), zip(*limits, strict=True), strict=True):
                row.add(median(ones), median(others))
            last = limits[-1]

    def fresh(self) -> str:
        """Return a prefix for names of databases that nothing has used yet."""
        return f"{self._mark}{next(self._numbers)}_"

    def database(self, prefix: str, service: str) -> Database[Document]:
        """The database of a service, as the service itself opens it."""
        codec = CodecOptions[Document](tz_aware=True)
        return self.client.get_database(prefix + service, codec_options=codec, write_concern=JOURNALED)

    def token(self, member_id: str, *roles: str) -> str:
        """An access token, as it is issued to a member who signs in."""
        now, key = int(time.time()), jwt.PyJWKSet.from_json(self._keys.jwks_file.read_text()).keys[0]
        claims = {"iss": "hearth", "aud": "hearth", "sub": member_id, "sid": "bench", "jti": "bench"}
        claims |= {"roles": list(roles) or ["coworker"], "iat": now, "nbf": now, "exp": now + TOKENS_LAST}
        pem = self._keys.private_key_file.read_text()
        return jwt.encode(claims, pem, algorithm="EdDSA", headers={"kid": key.key_id})

    def whole(self) -> Whole:
        """The whole platform as it is delivered, but for its rate limits; started unless it runs."""
        if self._platform is None:
            own = self.environment | {"MONGO_DATABASE_PREFIX": self.fresh()}
            self._platform = Whole(Known(own, _folder(self.folder)))
            self._platform.start()
        return self._platform

    def alone(self) -> None:
        """Nothing of the platform runs, and nothing waits for it."""
        if self._platform is not None:
            self._platform.processes.stop()
            self._platform = None
        forget_messages(self.backend.amqp_uri)

    @contextmanager
    def processes(self, prefix: str = "", **environment: str) -> Iterator[Known]:
        """Processes of a part's own, beside whatever runs, in databases of this prefix."""
        own = self.environment | {"MONGO_DATABASE_PREFIX": prefix or self.fresh()} | environment
        started = Known(own, _folder(self.folder))
        try:
            yield started
        finally:
            started.stop()

    def forget(self, *queues: str) -> None:
        """Delete queues of the benchmark's own."""
        opened = connection(self.backend.amqp_uri)
        for queue in queues:
            opened.channel().queue_delete(queue)
        opened.close()

    def clear(self) -> None:
        """Drop databases that no running platform needs. A full store would slow the next part."""
        kept = self._platform.prefix if self._platform else self._mark + "nobody"
        for name in self.client.list_database_names():
            if name.startswith(self._mark) and not name.startswith(kept):
                self.client.drop_database(name)

    def close(self) -> None:
        """End and forget everything."""
        self.alone()
        self.clear()
        self.client.close()


def serve(processes: Processes, name: str, *command: str, **environment: str) -> None:
    """Start a service and wait until it serves; `command` is its own unless given."""
    processes.start(name, *(command or ("-m", f"services.{name}")), **environment)
    processes.until(name, "serving")


def run(*command: str, seconds: float = 120, **environment: str) -> str:
    """Run a program of ours to its end; return what it prints."""
    return subprocess.run(
        [sys.executable, *command],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds,
    ).stdout


def _figures(found: Any) -> tuple[float, ...]:
    return tuple(found) if isinstance(found, tuple | list) else (found,)


def _folder(base: Path) -> Path:
    made = base / secrets.token_hex(4)
    made.mkdir()
    return made
