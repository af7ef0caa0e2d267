"""The world of the experiments: a platform with a broker and a store that can be broken and healed."""

import itertools
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import amqp
import pymongo
from pymongo.database import Database

from deploy.capabilities import capabilities
from deploy.local.broker import Broker
from deploy.local.keys import Keys
from deploy.local.lock import Lock
from deploy.local.output import Files
from deploy.local.program import Ledger as Register
from deploy.local.program import Life, birth
from deploy.local.store import Store
from services.chassis.bus.topology import delay_name
from services.chassis.messaging import hearers
from services.ground import clock
from tests.faults.kept import Kept
from tests.faults.ledger import Effect
from tests.faults.servers import Server
from tests.rig.backends import SESSIONS, clear
from tests.rig.processes import UNLIMITED, Member, Platform, forget_messages
from tests.rig.wire import connection

PREFIX = "faults_"
DELAYS = (1, 2, 5, 10)  # seconds between tries of a message that fails during a fault
AUTHORS = 5
BUSY_AT_MOST = 60.0  # seconds, for work that somebody holds
TOKENS_LAST = 300.0  # seconds, well below an access token's life
KIND = "feedback.submitted"
READ_BY_PAGE = 2_000  # lines at most
Document = dict[str, Any]


class World:
    """Everything that runs, and the members who use it."""

    def __init__(self, base: Path) -> None:
        self._register = Register(base)
        logs = Files(base / "logs")
        self.broker, self.store = Server(Broker(base), logs), Server(Store(base), logs)
        self._keys = Keys(base)
        self._keys.prepare()
        self.processes = Kept(self._environment(), base / "logs", self._record)
        self.platform = Platform(self.processes)
        self.client: pymongo.MongoClient[Document] = pymongo.MongoClient(
            self.store.uri, serverSelectionTimeoutMS=30_000, tz_aware=True
        )
        self.handlers = sorted(set(itertools.chain.from_iterable(hearers(capabilities()).values())))
        self.retries = [f"retry.{delay_name(seconds)}" for seconds in DELAYS]
        self.administrators: list[Member] = []
        self.authors: list[Member] = []
        self._signed_in = 0.0

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV") if name in os.environ}
        return kept | {
            "TOKEN_JWKS_FILE": str(self._keys.jwks_file),
            "TOKEN_PRIVATE_KEY_FILE": str(self._keys.private_key_file),
            "AMQP_URI": self.broker.uri,
            "MONGO_URI": self.store.uri,
            "MONGO_DATABASE_PREFIX": PREFIX,
            "RETRY_DELAYS": ",".join(map(str, DELAYS)),
            "PYTHONUNBUFFERED": "1",
            **UNLIMITED,
        }

    def _record(self) -> None:
        """Name all processes in a file, so that a later run can end them if this one is killed."""
        pids = self.processes.pids() if hasattr(self, "processes") else {}
        for server in (self.broker, self.store):
            pids |= {name: process.pid for name, process in server.running.items()}
        self._register.write([Life(name, pid, born) for name, pid in pids.items() if (born := birth(pid))])

    def start(self) -> None:
        """Bring everything up, with two administrators and some authors."""
        clock.follow(self.platform.clock.file)
        self.broker.start()
        self.store.start()
        self._record()
        self.platform.start()
        self.standard = dict(self.processes.commands)
        second = self.platform.join("Second", ("administrator",))
        self.administrators = [self.platform.administrator, second]
        self.authors = [self.platform.join(f"Author {number}") for number in range(AUTHORS)]
        self._signed_in = time.monotonic()

    def move(self, by: timedelta) -> None:
        """Move the clock on for all, this process too. Tokens may expire: the next experiment begins with others."""
        self.platform.clock.move(by)
        self._signed_in = float("-inf")

    def end(self) -> None:
        """End everything."""
        self.processes.stop()
        self.client.close()
        self.store.end()
        self.broker.end()

    def database(self, service: str) -> Database[Document]:
        return self.client[PREFIX + service]

    def heal(self) -> None:
        """Everything as it was at the start, whatever an experiment did, and no message or voice left of it."""
        for server in (self.broker, self.store):
            if server.process.poll() is None:
                server.thaw()
            else:
                server.start()
        pids = self.processes.pids()
        for pid in pids.values():
            os.kill(pid, signal.SIGCONT)
        for name in set(self.processes.commands) - set(self.standard):
            self.processes.end(name)
        for name, (command, environment) in self.standard.items():
            if self.processes.commands.get(name) != (command, environment):
                self.processes.replace(name, *command, **environment)
        self.platform.ready()
        self._forget()
        self.sign_in()
        self.processes.deaths.clear()

    def _forget(self) -> None:
        """From the source downwards: a failed experiment may have left work that is still being done."""
        self._empty("feedback", "voices", "answers", "tallies")
        forget_messages(self.broker.uri)
        with self.channel() as channel:
            for queue in ("dead", *self.retries):
                channel.queue_purge(queue)
        until = time.monotonic() + BUSY_AT_MOST
        while any(self.depths().get(queue) for queue in self.handlers):
            assert time.monotonic() < until, "what an earlier experiment left is never done"
            time.sleep(0.5)
        self._empty("notifications", "inbox", "broadcasts", "marks", "jobs", "told", "hours")

    def _empty(self, service: str, *names: str) -> None:
        for name in names:
            self.database(service)[name].delete_many({})

    def sign_in(self, *, anew: bool = False) -> list[Member]:
        """The administrators, everybody with tokens that last for a while; fresh ones where rights were lost."""
        if anew or time.monotonic() - self._signed_in > TOKENS_LAST:
            self.administrators = [self.platform.sign_in(each.profile["email"]) for each in self.administrators]
            self.platform.administrator = self.administrators[0]
            self.authors = [self.platform.sign_in(each.profile["email"]) for each in self.authors]
            self._signed_in = time.monotonic()
        return self.administrators

    @contextmanager
    def channel(self) -> Iterator[amqp.Channel]:
        """A channel of one's own, which leaves bodies as they are."""
        opened = connection(self.broker.uri)
        channel = opened.channel()
        channel.auto_decode = False
        try:
            yield channel
        finally:
            opened.close()

    def effects(self, words: str) -> list[Effect]:
        """The effects of a voice with these words: a line in the inbox of each administrator."""
        return [(each.id, words) for each in self.administrators]

    def inboxes(self) -> list[Effect]:
        """All lines about voices in the administrators' inboxes, as they read them; many are read from the store.

        A voice that was taken down has left a line without words.
        """
        if self.lines() > READ_BY_PAGE:
            mine = {"$in": [each.id for each in self.administrators]}
            wanted = {"kind": KIND, "member": mine, "facts.text": {"$exists": True}}
            rows = self.database("notifications").inbox.find(wanted, {"member": True, "facts": True})
            return [(row["member"], row["facts"]["text"]) for row in rows]
        found: list[Effect] = []
        for administrator in self.administrators:
            cursor: str | None = ""
            while cursor is not None:
                page = administrator.get(
                    "/v1/notifications", params={"limit": 100} | ({"cursor": cursor} if cursor else {})
                )
                lines = (line for line in page["items"] if line["kind"] == KIND and line["body"])
                found += [(administrator.id, line["body"]) for line in lines]
                cursor = page["next"]
        return found

    def lines(self) -> int:
        """The number of lines in all inboxes, counted without reading them."""
        return self.database("notifications").inbox.estimated_document_count()

    def depths(self) -> dict[str, int]:
        """Messages in each queue, also those that a consumer holds."""
        said = self.broker.control("list_queues", "-q", "--no-table-headers", "name", "messages")
        return {name: int(count) for name, _, count in (line.rpartition("\t") for line in said.splitlines()) if name}

    def resident(self, name: str) -> int:
        """Resident bytes of a process and its children."""
        pid = self.processes.pids()[name]
        return sum(_resident(each) for each in (pid, *children(pid)))


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _resident(pid: int) -> int:
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


@contextmanager
def world() -> Iterator[World]:
    """A running world from its beginning to its end, in a folder of its own."""
    for old in SESSIONS.glob("*"):  # of runs that were killed
        if not Lock(old).held:
            clear(old)
    base = SESSIONS / f"{os.getpid()}-faults"
    with ExitStack() as stack:
        stack.callback(clear, base)
        stack.enter_context(Lock(base).hold())
        made = World(base)
        stack.callback(made.end)
        made.start()
        yield made
