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
from tests.rig import refusals
from tests.rig.backends import Backends
from tests.rig.processes import UNLIMITED, Platform, Processes
from tests.rig.stores import open_database
from tests.rig.wire import Caller

BACKENDS = pytest.StashKey[Backends]()
TOLD = pytest.StashKey[set[str]]()


def pytest_configure(config: pytest.Config) -> None:
    refusals.listen()
    stack = ExitStack()
    config.stash[BACKENDS] = Backends(stack)
    config.add_cleanup(stack.close)


# The fixtures and marks that make a file slow, the slowest first: no worker is left with a long file in the end.
SLOW = ("shared_platform", "own_servers", "environment", "amqp_uri", "mongo_uri")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files by what they need; the shared platform's stand together."""
    needs: dict[Path, set[str]] = {}
    for item in items:
        marks = {mark.name for mark in item.iter_markers()}
        needs.setdefault(item.path, set()).update(marks, getattr(item, "fixturenames", ()))
    places = {path: next((SLOW.index(each) for each in SLOW if each in needs[path]), len(SLOW)) for path in needs}
    items.sort(key=lambda item: places[item.path])


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["backends"] = session.config.stash[BACKENDS].described


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    output = getattr(node, "workeroutput", {})
    node.config.stash.setdefault(TOLD, set()).add(output.get("backends", "those of a worker that died"))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for described in config.stash.get(TOLD, {config.stash[BACKENDS].described}):
        terminalreporter.line(f"backends: {described}")


@pytest.fixture(autouse=True)
def nothing_unlisted() -> Iterator[None]:
    """Fail the test after which a code was sent that the OpenAPI document does not list."""
    yield
    assert list(refusals.REFUSALS.unlisted()) == []


@pytest.fixture(scope="session")
def amqp_uri(pytestconfig: pytest.Config) -> str:
    """A broker; it starts when the first test asks for it."""
    return pytestconfig.stash[BACKENDS].amqp_uri


@pytest.fixture(scope="session")
def management_uri(pytestconfig: pytest.Config) -> str:
    """The broker's management API."""
    return pytestconfig.stash[BACKENDS].management_uri or pytest.skip("AMQP_MANAGEMENT_URI does not say where it is")


@pytest.fixture(scope="session")
def mongo_uri(pytestconfig: pytest.Config) -> str:
    """A store; it starts when the first test asks for it."""
    return pytestconfig.stash[BACKENDS].mongo_uri


@pytest.fixture(scope="session")
def environment(amqp_uri: str, mongo_uri: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of the platform's processes: keys and databases of this run, short pauses."""
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
        "STREAM_HEARTBEAT": "0.5",  # a reader notices with the next one that it was closed
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
    running.start("probe", "-m", "tests.services.chassis.probe")
    running.until("probe", "serving")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def effects(environment: dict[str, str]) -> Iterator[Collection[dict[str, Any]]]:
    """The effects of the probe's handlers, a row for each."""
    with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"]) as client:
        yield client[environment["MONGO_DATABASE_PREFIX"] + "feedback"].effects


@pytest.fixture
def caller(amqp_uri: str) -> Iterator[Caller]:
    """Makes RPC calls."""
    made = Caller(amqp_uri)
    yield made
    made.close()


@pytest.fixture(scope="session")
def stage() -> Iterator[ExitStack]:
    """Holds the shared platform from the first module that asks for it to the first module that does not."""
    with ExitStack() as standing:
        yield standing


@pytest.fixture(scope="session")
def shared(stage: ExitStack) -> list[Platform]:
    """The platform on the stage, if one stands there."""
    return []


@pytest.fixture(scope="module", autouse=True)
def broker_of_its_own(request: pytest.FixtureRequest, stage: ExitStack, shared: list[Platform]) -> None:
    """End the shared platform for a module without it: two on one broker would take each other's messages."""
    if shared and not any("shared_platform" in each.fixturenames for each in of_module(request)):
        stage.close()
        shared.clear()


def of_module(request: pytest.FixtureRequest) -> list[pytest.Function]:
    return [each for each in request.session.items if each.path == request.path and isinstance(each, pytest.Function)]


@pytest.fixture(scope="module")
def shared_platform(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory, stage: ExitStack, shared: list[Platform]
) -> Platform:
    if not shared:
        folder = tmp_path_factory.mktemp("platform")
        shared.append(stage.enter_context(Platform.running(environment, folder)))
    return shared[0]


@pytest.fixture(scope="module")
def own_platform(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform of this module alone, for tests that break it, or that count all there is."""
    with Platform.running(environment, tmp_path_factory.mktemp("platform")) as running:
        yield running


@pytest.fixture(scope="module")
def platform(shared_platform: Platform) -> Platform:
    """The whole platform, one for all modules that ask for it: a test makes its own members and leaves all in order."""
    return shared_platform


@pytest.fixture
def make_store(mongo_uri: str) -> Iterator[Callable[..., Any]]:
    """Makes stores in an empty database: `make_store(VoiceStore)`."""
    with open_database(mongo_uri) as make:
        yield make
