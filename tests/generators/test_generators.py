"""Other people's generators and linters read our documents (`make generators`): their code compiles and signs in."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.test_story import publish
from tests.rig.npm import NODE, install
from tests.rig.processes import PASSWORD, ROOT, Member, Platform

HERE = Path(__file__).parent
PYTHON = ROOT / "build" / "generators" / "bin"  # an environment of its own: the generators pin what we pin otherwise
OPENAPI, ASYNCAPI = ROOT / "gateway" / "openapi.json", ROOT / "services" / "contracts" / "asyncapi.yaml"
COMPILED = ["--strict", "--module", "commonjs", "--moduleResolution", "node10", "--lib", "es2023,dom,dom.iterable"]
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "DO_NOT_TRACK": "1"}

pytestmark = [pytest.mark.generators, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def packages() -> Path:
    return install(HERE) / "node_modules"


@pytest.fixture
def folder(tmp_path: Path, packages: Path) -> Path:
    (tmp_path / "node_modules").symlink_to(packages)
    return tmp_path


@pytest.fixture(scope="module")
def member(platform: Platform) -> Member:
    publish(platform.administrator, title="Printing for beginners", audience={"everyone": True})
    return platform.join("Amara")


def run(folder: Path, *command: Any) -> str:
    """What a command prints. It must succeed."""
    environment = os.environ | {"PATH": f"{PYTHON}:{NODE.parent}:{os.environ['PATH']}"} | QUIET
    done = subprocess.run(map(str, command), cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def tool(packages: Path, name: str) -> Path:
    return packages / ".bin" / name


def signs_in(folder: Path, member: Member, *program: Any) -> None:
    said = run(folder, *program, member.url, member.profile["email"], PASSWORD)
    id, (title, everyone) = json.loads(said)
    assert (id, everyone) == (member.id, True)
    assert title


def compiled(folder: Path, packages: Path, name: str) -> Path:
    (folder / f"{name}.ts").write_text((HERE / f"{name}.ts").read_text())
    run(folder, tool(packages, "tsc"), *COMPILED, "--target", "es2022", f"{name}.ts")
    return folder / f"{name}.js"


def test_openapi_typescript(folder: Path, packages: Path, member: Member) -> None:
    run(folder, tool(packages, "openapi-typescript"), OPENAPI, "-o", "schema.d.ts")
    signs_in(folder, member, NODE, compiled(folder, packages, "paths"))


def test_hey_api(folder: Path, packages: Path, member: Member) -> None:
    run(
        folder,
        tool(packages, "openapi-ts"),
        "-i",
        OPENAPI,
        "-o",
        "made",
        "-c",
        "@hey-api/client-fetch",
        "--no-log-file",
    )
    signs_in(folder, member, NODE, compiled(folder, packages, "hey"))


def test_openapi_python_client(folder: Path, member: Member) -> None:
    said = run(folder, PYTHON / "openapi-python-client", "generate", "--path", OPENAPI, "--output-path", "made")
    assert "WARNING" not in said.upper()
    operations = [
        each["operationId"] for path in paths().values() for name, each in path.items() if name != "parameters"
    ]
    assert {path.stem for path in (folder / "made/hearth_client/api").glob("*/*.py")} >= set(operations)
    run(folder, PYTHON / "python", "-m", "compileall", "-q", "made")
    (folder / "made/client.py").write_text((HERE / "client.py").read_text())
    signs_in(folder, member, PYTHON / "python", "made/client.py")


def test_datamodel_codegen(folder: Path, member: Member) -> None:
    made = ["--input", OPENAPI, "--input-file-type", "openapi", "--output", "hearth_models.py"]
    run(folder, PYTHON / "datamodel-codegen", *made, "--output-model-type", "pydantic_v2.BaseModel")
    (folder / "models.py").write_text((HERE / "models.py").read_text())
    signs_in(folder, member, PYTHON / "python", "models.py")


def test_modelina(packages: Path, folder: Path) -> None:
    (folder / "names.mjs").write_text((HERE / "names.mjs").read_text())
    names = json.loads(run(folder, NODE, "names.mjs", ASYNCAPI))
    assert {"Audience", "EventsPublishedMessage"} <= set(names)
    assert not [name for name in names if "Anonymous" in name]


def test_spectral(packages: Path) -> None:
    run(HERE, tool(packages, "spectral"), "lint", "-r", HERE / "spectral.yaml", "--fail-severity", "hint", OPENAPI)


def test_redocly(packages: Path) -> None:
    said = run(HERE, tool(packages, "redocly"), "lint", OPENAPI, "--config", HERE / "redocly.yaml", "--format", "json")
    found = json.loads(said[said.index("{") : said.rindex("}") + 1])
    assert [each for each in found["problems"] if not each.get("ignored")] == []


def paths() -> dict[str, Any]:
    return dict(json.loads(OPENAPI.read_text())["paths"])
