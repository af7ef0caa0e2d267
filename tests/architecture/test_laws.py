"""The laws of the house that a linter of imports can't see."""

import ast
import importlib
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR

from deploy.local.platform import ROOT
from services.chassis.messaging import On
from services.chassis.rpc import Rpc
from services.chassis.schedule import Planned
from services.contracts.catalogue import CATALOGUE

SERVICES = ("members", "events", "feedback", "notifications")
CAPABILITIES = sorted(
    path.parent for service in SERVICES for path in (ROOT / "services" / service).glob("*/service.py")
)
VAGUE = {"utils", "util", "manager", "helper", "helpers", "data", "common", "misc", "base"}
EVERY = pytest.mark.parametrize("folder", CAPABILITIES, ids=lambda folder: f"{folder.parent.name}.{folder.name}")


def sources(folder: str) -> Iterator[Path]:
    yield from sorted((ROOT / folder).rglob("*.py"))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def capability(folder: Path) -> type:
    module = importlib.import_module(f"services.{folder.parent.name}.{folder.name}.service")
    (found,) = [each for _, each in inspect.getmembers(module, inspect.isclass) if each.__module__ == module.__name__]
    return found


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


@EVERY
def test_a_capability_is_three_files(folder: Path) -> None:
    assert {path.name for path in folder.glob("*.py")} == {"__init__.py", "service.py", "domain.py", "store.py"}


@EVERY
def test_a_capability_is_named_after_its_place(folder: Path) -> None:
    assert capability(folder).name == f"{folder.parent.name}.{folder.name}"  # type: ignore[attr-defined]
    # Read, not imported: a service's entry point makes the whole process cooperative.
    served = (folder.parent / "__main__.py").read_text()
    assert re.search(rf"CAPABILITIES = \(.*\b{capability(folder).__name__}\b.*\)", served), "it is served"


@pytest.mark.parametrize("folder", ["services", "gateway", "deploy"])
def test_no_file_outgrows_a_reading(folder: str) -> None:
    for path in sources(folder):
        name, lines = str(path.relative_to(ROOT)), len(path.read_text().splitlines())
        assert lines <= 250, f"{name} has {lines} lines"


@EVERY
def test_a_service_method_is_short(folder: Path) -> None:
    for node in ast.walk(tree(folder / "service.py")):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            statements = [each for part in body for each in ast.walk(part) if isinstance(each, ast.stmt)]
            assert len(statements) <= 10, f"{folder.name}.{node.name} has {len(statements)} statements"


@EVERY
def test_the_domain_asks_neither_clock_nor_chance_for_its_rules(folder: Path) -> None:
    calls = {ast.unparse(node.func) for node in ast.walk(tree(folder / "domain.py")) if isinstance(node, ast.Call)}
    assert not {call for call in calls if re.search(r"\b(now|today|utcnow|time|sleep|random\w*|uuid\w*)$", call)}


@EVERY
def test_no_rule_reads_a_history_that_forgets(folder: Path) -> None:
    """Rules depend on facts, not on a history. Code may write and extend a history; only `prepare` may read it."""
    for path in (folder / "domain.py", folder / "store.py"):
        found = tree(path)
        allowed: set[int] = set()
        for node in ast.walk(found):
            if isinstance(node, ast.FunctionDef) and node.name == "prepare":
                allowed |= {id(each) for each in ast.walk(node)}
            elif isinstance(node, ast.Dict):
                allowed |= {id(key) for key in node.keys}
            elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
                allowed |= {id(each) for each in ast.walk(node.value)}  # the part that is kept when a deed is added
        for node in ast.walk(found):
            if isinstance(node, ast.Constant) and id(node) not in allowed:
                assert str(node.value).split(".")[0] != "history", f"{path}:{node.lineno}"


@EVERY
def test_a_capability_takes_of_a_sibling_its_store_and_domain_only(folder: Path) -> None:
    service = f"services.{folder.parent.name}"
    for path in folder.glob("*.py"):
        for name in imports(path):
            if name.startswith(f"{service}.") and not name.startswith(f"{service}.{folder.name}."):
                sibling = name.removeprefix(f"{service}.").split(".")
                inside = (ROOT / "services" / folder.parent.name / sibling[0] / "service.py").is_file()
                assert not inside or (path.name == "service.py" and sibling[1] in ("store", "domain")), (
                    f"{path}: {name}"
                )


@EVERY
def test_every_door_says_what_it_is_for(folder: Path) -> None:
    found = capability(folder)
    assert found.__doc__
    for name, method in inspect.getmembers(found, inspect.isfunction):
        if getattr(method, ENTRYPOINT_EXTENSIONS_ATTR, ()):
            assert method.__doc__, f"{found.__name__}.{name}"


@EVERY
def test_services_announce_and_never_call(folder: Path) -> None:
    text = "".join(path.read_text() for path in folder.glob("*.py"))
    assert not re.search(r"RpcProxy|EventDispatcher|event_handler|requests\b", text)


def test_routes_do_not_think() -> None:
    """A noun is a table of calls; a view among them has decorators and one call. Pages and documents are no calls."""
    thought = ast.If | ast.IfExp | ast.For | ast.While | ast.Try | ast.comprehension | ast.BoolOp
    for path in sources("gateway/routes"):
        if path.stem not in ("bus", "platform", "web"):
            assert not [node for node in ast.walk(tree(path)) if isinstance(node, thought)], path
            for view in (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef)):
                assert len(view.body) == 2, f"{path}: {view.name} is a sentence and one call"


def test_one_handler_hears_one_message() -> None:
    for folder in CAPABILITIES:
        for name, method in inspect.getmembers(capability(folder), inspect.isfunction):
            entrypoints = getattr(method, ENTRYPOINT_EXTENSIONS_ATTR, ())
            assert len(entrypoints) <= 1, name
            assert all(isinstance(each, On | Rpc | Planned) for each in entrypoints)


def test_handlers_name_only_what_the_message_has() -> None:
    for folder in CAPABILITIES:
        for name, method in inspect.getmembers(capability(folder), inspect.isfunction):
            for each in getattr(method, ENTRYPOINT_EXTENSIONS_ATTR, ()):
                if isinstance(each, On):
                    wanted = set(inspect.signature(method).parameters) - {"self", "message"}
                    assert wanted <= each.message.fields, name


def test_every_message_is_announced_by_its_publisher() -> None:
    for message in CATALOGUE.values():
        name = message.key.replace(".", "_").upper()
        home = message.by if message.by == "gateway" else f"services/{message.by}"
        says = rf"\b{name}\.about\(|\b(noted|read)\(\s*{name}\b"
        users = [path for path in sources(home) if re.search(says, path.read_text())]
        assert users, f"nobody announces {message.key}"


def test_chassis_and_ground_know_no_word_of_the_domain() -> None:
    for path in (*sources("services/chassis"), *sources("services/ground")):
        for node in ast.walk(tree(path)):
            names = [getattr(node, key, None) for key in ("id", "name", "attr", "arg")]
            for name in (each for each in names if isinstance(each, str)):
                words = set(re.split(r"[_.]|(?<=[a-z])(?=[A-Z])", name.casefold()))
                assert not words & {"member", "members", "voice", "voices", "feedback", "notification"}, (
                    f"{path}: {name}"
                )


def test_moments_become_numbers_in_one_place() -> None:
    one_place = ROOT / "services" / "contracts" / "moments.py"
    by_float = re.compile(r"\.timestamp\(|fromtimestamp\(|time\.time\(\) \*|round\(time\.time\(")
    for path in (path for folder in ("services", "gateway", "deploy") for path in sources(folder)):
        assert path == one_place or not by_float.search(path.read_text()), path


def test_one_clock_tells_the_time() -> None:
    """Code that asks the machine for the time would not follow a platform's clock. Measuring a duration is allowed."""
    asks = re.compile(r"datetime\.now\(|utcnow|\.today\(|\btime\.(time|time_ns|localtime|gmtime)\b")
    for path in (path for folder in ("services", "gateway") for path in sources(folder)):
        assert path == ROOT / "services" / "ground" / "clock.py" or not asks.search(path.read_text()), path


def test_the_operators_command_asks_services_for_what_is_theirs() -> None:
    """It opens the store only to copy documents whole and to look at its health."""
    whole = {"backup", "doctor", "due", "restore", "store"}
    reads = re.compile(r"pymongo|deploy\.hub\.store|deploy\.hub import [^\n]*\bstore\b")
    found = {path.stem for path in sources("deploy/hub") if reads.search(path.read_text())}
    assert found <= whole, found - whole


@pytest.mark.parametrize("folder", ["services", "gateway", "deploy", "tests"])
def test_nothing_is_named_vaguely(folder: str) -> None:
    vague = [path for path in sources(folder) if VAGUE & set(re.split(r"[_.]", path.stem))]
    assert not vague


def test_the_root_is_as_drawn() -> None:
    tracked = {line.split("/")[0] for line in _tracked()}
    folders = {name for name in tracked if (ROOT / name).is_dir()}
    assert folders <= {"services", "gateway", "deploy", "tests", "requirements", ".ci"}


def test_locks_have_hashes_and_no_addresses() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text()
        assert "--hash=sha256:" in text
        assert not re.search(r"https?://|--find-links|--index-url|file:", text), path
    for path in (name for name in _tracked() if name.endswith("package-lock.json")):
        packages = json.loads((ROOT / path).read_text())["packages"]
        assert all("integrity" in each and "resolved" not in each for name, each in packages.items() if name), path


def _tracked() -> list[str]:
    import subprocess

    done = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()
