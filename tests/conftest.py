"""The broker and the store of a test run, and the platform's processes on top of them."""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pymongo
import pytest
from pymongo.collection import Collection

from deploy.local.keys import Keys
from tests.rig import backends
from tests.rig.processes import UNLIMITED, Platform, Processes
from tests.rig.stores import open_database
from tests.rig.wire import Caller

BACKEND = pytest.StashKey[backends.Backend]()
TOLD = pytest.StashKey[set[str]]()


def pytest_configure(config: pytest.Config) -> None:
    if config.option.collectonly or config.option.numprocesses:
        return  # of several workers, each has its own
    stack = ExitStack()
    config.stash[BACKEND] = stack.enter_context(backends.start())
    config.add_cleanup(stack.close)


def pytest_report_header(config: pytest.Config) -> str:
    if config.option.numprocesses:
        return f"backends: a pair for each of {config.option.numprocesses} workers, named at the end"
    backend = config.stash.get(BACKEND, None)
    return backend.described if backend else "backends: none, collecting only"


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["backends"] = pytest_report_header(session.config)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash.setdefault(TOLD, set()).add(
        getattr(node, "workeroutput", {}).get("backends", "backends: a worker died")
    )


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for backend in config.stash.get(TOLD, ()):
        terminalreporter.line(backend)


@pytest.fixture(scope="session")
def amqp_uri(pytestconfig: pytest.Config) -> str:
    """A broker."""
    return pytestconfig.stash[BACKEND].amqp_uri


@pytest.fixture(scope="session")
def management_uri(pytestconfig: pytest.Config) -> str:
    """The broker's management API."""
    return pytestconfig.stash[BACKEND].management_uri or pytest.skip("AMQP_MANAGEMENT_URI does not say where it is")


@pytest.fixture(scope="session")
def mongo_uri(pytestconfig: pytest.Config) -> str:
    """A store."""
    return pytestconfig.stash[BACKEND].mongo_uri


@pytest.fixture(scope="session")
def environment(amqp_uri: str, mongo_uri: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of the platform's processes: keys and databases of this run, short retries."""
    keys = Keys(tmp_path_factory.mktemp("keys"))
    keys.prepare()
    return {
        **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV")},
        "TOKEN_JWKS_FILE": str(keys.jwks_file),
        "TOKEN_PRIVATE_KEY_FILE": str(keys.private_key_file),
        "AMQP_URI": amqp_uri,
        "MONGO_URI": mongo_uri,
        "MONGO_DATABASE_PREFIX": f"test_{uuid.uuid4().hex[:8]}_",
        "RETRY_DELAYS": "1,2",
        "LOG_FORMAT": "text",
        **UNLIMITED,
    }


@pytest.fixture
def processes(environment: dict[str, str], tmp_path: Path) -> Iterator[Processes]:
    """Starts processes for one test and ends them after it."""
    started = Processes(environment, tmp_path)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def probe(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """A service whose handlers fail on demand."""
    running = Processes(environment, tmp_path_factory.mktemp("probe"))
    running.start("probe", "-m", "tests.chassis.probe")
    running.until("probe", "serving")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def effects(environment: dict[str, str]) -> Iterator[Collection[dict[str, Any]]]:
    """What the probe's handlers have done."""
    with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"]) as client:
        yield client[environment["MONGO_DATABASE_PREFIX"] + "feedback"].effects


@pytest.fixture
def caller(amqp_uri: str) -> Iterator[Caller]:
    """Makes RPC calls."""
    made = Caller(amqp_uri)
    yield made
    made.close()


@pytest.fixture(scope="module")
def platform(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The whole platform, one for a module's journeys; each makes its own members."""
    with Platform.running(environment, tmp_path_factory.mktemp("platform")) as running:
        yield running


@pytest.fixture
def make_store(mongo_uri: str) -> Iterator[Callable[..., Any]]:
    """Makes stores in an empty database: `make_store(VoiceStore)`."""
    with open_database(mongo_uri) as make:
        yield make
