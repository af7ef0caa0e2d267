"""The broker and the store of a test session: given ones, else containers, else private processes.

`AMQP_URI` and `MONGO_URI` give one. `HEARTH_TEST_BACKENDS=containers` or `=local` allows one of the other ways only.
"""

import contextlib
import os
import shutil
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import docker.errors
import pymongo
from kombu.connection import Connection
from pymongo.errors import PyMongoError
from testcontainers.community.mongodb import MongoDbContainer
from testcontainers.community.rabbitmq import RabbitMqContainer
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient

from deploy.local import CannotRun
from deploy.local.broker import DEFINITIONS, Broker
from deploy.local.given import MANAGEMENT
from deploy.local.lock import Lock
from deploy.local.output import Files
from deploy.local.platform import ROOT
from deploy.local.program import Ledger, end
from deploy.local.store import Store
from deploy.local.supervisor import PATIENCE, Supervisor

RABBITMQ = "rabbitmq:4.1-management"
MONGO = "mongo:8.0"
MANAGEMENT_PORT = 15672
PULL_WITHIN = 180.0  # seconds for one image
SILENCE = 20  # seconds without a word from the container engine
READY_WITHIN = 60.0  # seconds for a server that has started
SESSIONS = ROOT / ".hearth" / "test"

T = TypeVar("T")


@dataclass(frozen=True)
class Server:
    uri: str
    way: str
    management_uri: str = ""


class Backends:
    """A broker with the committed policies and an empty store, unless they were given.

    Each starts when it is asked for.
    `management_uri` is empty where a broker was given without it (AMQP_MANAGEMENT_URI).
    """

    def __init__(self, stack: ExitStack) -> None:
        """All servers that are started here end with the stack."""
        self._wanted = os.environ.get("HEARTH_TEST_BACKENDS", "")
        if self._wanted not in ("", "containers", "local"):
            raise CannotRun(f"HEARTH_TEST_BACKENDS must be containers or local, not {self._wanted!r}.")
        self._local = _Local(stack)
        self._containers = None if self._wanted == "local" else _Containers(stack)
        self._known: dict[str, str] = {}

    @property
    def amqp_uri(self) -> str:
        return self._broker.uri

    @property
    def management_uri(self) -> str:
        return self._broker.management_uri

    @property
    def mongo_uri(self) -> str:
        return self._store

    @property
    def described(self) -> str:
        """The servers that were started, the way in which they were started, and their versions."""
        return ", ".join(f"{name} = {how}" for name, how in self._known.items()) or "none, no test needed one"

    @cached_property
    def _broker(self) -> Server:
        container = self._containers.broker if self._containers else None
        broker = _first("AMQP_URI", container, self._local.broker, only=self._wanted)
        self._known["broker"] = f"{broker.way} ({_greet_broker(broker.uri)})"
        return broker

    @cached_property
    def _store(self) -> str:
        container = self._containers.store if self._containers else None
        store = _first("MONGO_URI", container, self._local.store, only=self._wanted)
        uri, version = _greet_store(store.uri)
        self._known["store"] = f"{store.way} ({version})"
        return uri


@contextlib.contextmanager
def start() -> Iterator[Backends]:
    """Provides both meanwhile, started; ends what it started, whatever happens."""
    with ExitStack() as stack:
        made = Backends(stack)
        _started = (made.amqp_uri, made.mongo_uri)
        yield made


def _first(variable: str, container: Callable[[], Server] | None, local: Callable[[], Server], only: str) -> Server:
    if given := os.environ.get(variable):
        return Server(given, f"given by {variable}", os.environ.get(MANAGEMENT, ""))
    if container is None:
        return local()
    try:
        return container()
    except CannotRun as problem:
        if only:
            raise
        server = local()
        return replace(server, way=f"{server.way}, as {problem}")


class _Containers:
    """Servers in containers of their own, with testcontainers."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._engine: DockerClient | None = None

    def broker(self) -> Server:
        self._have(RABBITMQ)
        container = RabbitMqContainer(RABBITMQ).with_exposed_ports(5672, MANAGEMENT_PORT)
        self._start(container)
        host = container.get_container_host_ip()
        management = f"http://{host}:{container.get_exposed_port(MANAGEMENT_PORT)}"
        _upload_policies(management, container)
        uri = f"amqp://{container.username}:{container.password}@{host}:{container.get_exposed_port(5672)}/%2F"
        return Server(uri, f"container {RABBITMQ}", management)

    def store(self) -> Server:
        self._have(MONGO)
        container = MongoDbContainer(MONGO)
        self._start(container)
        return Server(f"{container.get_connection_url()}/", f"container {MONGO}")

    def _start(self, container: DockerContainer) -> None:
        self._stack.callback(container.stop)
        try:
            container.start()
        except (docker.errors.DockerException, TimeoutError) as error:
            raise CannotRun(f"the container {container.image} does not start ({error})") from error

    def _have(self, image: str) -> None:
        """Checks that engine and image are there. Raises CannotRun with the missing part."""
        if self._engine is None:
            self._engine = _engine()
            try:
                _pull(self._engine, testcontainers_config.ryuk_image)
            except CannotRun:  # the watchman that clears away after a crash; it is not needed for more
                testcontainers_config.ryuk_disabled = True
        _pull(self._engine, image)


def _engine() -> DockerClient:
    try:
        engine = DockerClient(timeout=SILENCE)
        engine.client.ping()
    except (docker.errors.DockerException, OSError) as error:
        raise CannotRun("no container engine answers") from error
    return engine


def _pull(engine: DockerClient, image: str) -> None:
    """Gets an image unless it is there, for as long as the registry goes on answering."""
    try:
        engine.client.images.get(image)
        return
    except docker.errors.ImageNotFound:
        pass
    name, _, tag = image.rpartition(":")
    deadline = time.monotonic() + PULL_WITHIN
    try:
        for step in engine.client.api.pull(name, tag=tag, stream=True, decode=True):
            if "error" in step or time.monotonic() > deadline:
                raise CannotRun(f"the image {image} cannot be had")
    except (docker.errors.DockerException, OSError) as error:
        raise CannotRun(f"the image {image} cannot be had") from error


def _upload_policies(management: str, container: RabbitMqContainer) -> None:
    identity = b64encode(f"{container.username}:{container.password}".encode()).decode()
    request = urllib.request.Request(
        f"{management}/api/definitions",
        data=DEFINITIONS.read_bytes(),
        headers={"Authorization": f"Basic {identity}", "Content-Type": "application/json"},
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    _persist(lambda: direct.open(request, timeout=5).close(), OSError)


class _Local:
    """Servers as private processes, in a folder for this session alone."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._base: Path | None = None

    def broker(self) -> Server:
        broker = Broker(self._folder())
        return Server(self._run(broker), "local private process", broker.management_uri)

    def store(self) -> Server:
        return Server(self._run(Store(self._folder())), "local private process")

    def _run(self, server: Broker | Store) -> str:
        base = self._folder() / server.name
        ledger = Ledger(base)
        supervisor = Supervisor(ROOT, ledger, Files(base / "logs"))
        self._stack.callback(_end_at_once, supervisor, ledger)
        server.prepare()
        supervisor.start(server.programs())
        supervisor.until(lambda: "" if server.answers() else server.name, within=READY_WITHIN)
        return server.uri

    def _folder(self) -> Path:
        if self._base is None:
            for old in SESSIONS.glob("*"):  # of sessions that were killed
                if not Lock(old).held:
                    clear(old)
            self._base = SESSIONS / str(os.getpid())
            self._stack.callback(clear, self._base)
            self._stack.enter_context(Lock(self._base).hold())
        return self._base


def _end_at_once(supervisor: Supervisor, ledger: Ledger) -> None:
    """End the servers without waiting for an orderly stop: their data goes with the session."""
    end(ledger.living(), patience=0)
    supervisor.end()


def clear(base: Path) -> None:
    """Ends what still runs from a folder, and removes the folder."""
    for ledger in base.rglob(Ledger.FILE):
        end(Ledger(ledger.parent).living(), patience=PATIENCE)
    shutil.rmtree(base, ignore_errors=True)


def _greet_broker(uri: str) -> str:
    def greet() -> str:
        with Connection(uri, connect_timeout=5) as connection:
            connection.connect()
            return "RabbitMQ " + str(connection.connection.server_properties["version"])

    return _persist(greet, OSError)


def _greet_store(uri: str) -> tuple[str, str]:
    """The URI to use, and what answers there. SecantusDB slows down with retryable writes; MongoDB doesn't."""

    def greet() -> dict[str, str]:
        with pymongo.MongoClient[dict[str, str]](uri, serverSelectionTimeoutMS=5000) as client:
            return client.server_info()

    info = _persist(greet, PyMongoError)
    if "secantusVersion" not in info:
        return uri, f"MongoDB {info['version']}"
    if "retryWrites" not in uri:
        uri += f"{'&' if '?' in uri else '?'}retryWrites=false"
    return uri, f"SecantusDB {info['secantusVersion']}"


def _persist(action: Callable[[], T], error: type[Exception]) -> T:
    """Repeats an action while it fails with this error, for as long as a server may take to become ready."""
    deadline = time.monotonic() + READY_WITHIN
    while True:
        try:
            return action()
        except error:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
