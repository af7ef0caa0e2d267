"""Another user of the machine, who can reach every port of the loopback address: what they can read, change and see.

Where the tests run as root the stranger is a user without rights; else it is ourselves, without the password.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import orjson
import pymongo
import pytest
from pymongo.errors import OperationFailure

from deploy.local import private
from deploy.local.broker import Broker
from deploy.local.program import Program
from deploy.local.store import Store
from tests.deploy.test_servers import running
from tests.rig.processes import until

pytestmark = pytest.mark.own_servers
NOBODY = 65534
ATTEMPTS = Path(__file__).with_name("stranger.py")
REFUSED = "refused"
MALLORY = {"username": "mallory", "password": "mallory"}
WAYS_IN: tuple[dict[str, Any], ...] = ({}, MALLORY, MALLORY | {"authSource": "hearth"})


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that is to be made, in one that everybody may enter."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder, "state")


def stranger(**about: Any) -> dict[str, str]:
    """Run `stranger.py`; return the result of each of its attempts."""
    asked = orjson.dumps(about | {"user": NOBODY if os.geteuid() == 0 else None}).decode()
    done = subprocess.run([sys.executable, ATTEMPTS, asked], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = orjson.loads(done.stdout)
    return found


class Processes:
    """The command lines of all processes of the machine, looked at again and again."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(0.05):
            self.seen |= commands()


def commands() -> set[str]:
    """The command lines of all processes, as `ps` shows them to everybody."""
    listed = subprocess.run(["ps", "-eo", "args=", "-ww"], capture_output=True, text=True, check=True).stdout
    return set(listed.splitlines())


def port_of(uri: str) -> int:
    return urlsplit(uri).port or 0


def open_to_others(base: Path) -> list[Path]:
    """The paths in a folder, itself included, that other users may read, change or enter."""
    return [path for path in (base, *base.rglob("*")) if not path.is_symlink() and path.stat().st_mode & 0o077]


def test_nobody_else_reads_or_changes_the_store(place: Path) -> None:
    store = Store(place)
    with Processes() as processes, running(place, store):
        password = urlsplit(store.uri).password or ""
        with pymongo.MongoClient[dict[str, Any]](store.uri) as client:
            client.hearth.kept.insert_one({"_id": 1, "email": "amara@hub.example"})
            found = stranger(store=port_of(store.uri), folder=str(place))
            assert list(client.hearth.kept.find()) == [{"_id": 1, "email": "amara@hub.example"}]
    deeds = ("databases", "read", "change", "drop", "make a user", "guess", "folder")
    assert found == dict.fromkeys(deeds, REFUSED)
    assert len(password) >= 32
    assert not [line for line in processes.seen if password in line]
    assert [line for line in processes.seen if "secantusd-py" in line], "its command line was seen"
    assert not open_to_others(place)


def test_nobody_else_gets_to_the_broker(place: Path) -> None:
    broker = Broker(place)
    with Processes() as processes, running(place, broker):
        password = urlsplit(broker.uri).password or ""
        where = {"broker": port_of(broker.uri), "management": port_of(broker.management_uri)}
        found = stranger(**where, folder=str(place))
    assert found == dict.fromkeys(("guest", "hearth", "guess", "management", "folder"), REFUSED)
    secrets = password, (place / "broker" / ".erlang.cookie").read_text()
    assert not [line for line in processes.seen if any(each in line for each in secrets)]
    assert [line for line in processes.seen if "beam" in line], "its command line was seen"
    assert not open_to_others(place)


@contextmanager
def started(program: Program) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(program.command, env=program.environment, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def once() -> int | None:
    """The port of the server that is about to learn of its user."""
    found = [re.search(r"once\.toml --port (\d+)", line) for line in commands()]
    return next((int(each[1]) for each in found if each), None)


def test_nobody_else_gets_in_before_there_is_a_user(place: Path) -> None:
    store = Store(place)
    store.prepare()
    [program] = store.programs()
    with started(program) as guard:
        server = until(once)
        guard.send_signal(signal.SIGSTOP)  # the stranger has all the time they want
        until(lambda: not private.is_free(server))
        found = stranger(once=server)
        guard.send_signal(signal.SIGCONT)
        until(store.answers, 60)
        with pymongo.MongoClient[dict[str, Any]](store.uri) as client:
            users = list(client.admin["system.users"].find())
    assert found == dict.fromkeys(("without TLS", "without a certificate"), REFUSED)
    assert [each["user"] for each in users] == ["hearth"]


def test_a_store_of_an_earlier_version_keeps_its_data_and_gets_a_password(place: Path) -> None:
    store, [port] = Store(place), private.free_ports(1)
    private.write_json(place / "store" / "settings.json", {"port": port})
    earlier = [str(Path(sys.executable).with_name("secantusd-py")), "--standalone", "--port", str(port)]
    with started(Program("store", [*earlier, "--storage-path", str(place / "store" / "data")], os.environ)):
        until(lambda: not private.is_free(port), 60)
        with pymongo.MongoClient[dict[str, Any]]("127.0.0.1", port) as client:
            client.hearth.kept.insert_one({"_id": 1})
            client.admin.command("createUser", "mallory", pwd="mallory", roles=["root"])
            client.hearth.command("createUser", "mallory", pwd="mallory", roles=["readWrite"])

    for _ in range(2):
        with running(place, store), pymongo.MongoClient[dict[str, Any]](store.uri) as client:
            assert client.hearth.kept.find_one() == {"_id": 1}
            for way in WAYS_IN:
                with (
                    pymongo.MongoClient[dict[str, Any]]("127.0.0.1", port, **way) as mallory,
                    pytest.raises(OperationFailure),
                ):
                    mallory.hearth.kept.find_one()
    assert port_of(store.uri) == port
