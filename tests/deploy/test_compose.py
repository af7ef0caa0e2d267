"""docker-compose.yml and the images, as they are written; test_containers.py runs them."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local.platform import ROOT
from deploy.secrets import PREFIX, SERVICES, make

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
PARTS: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [*SERVICES, "gateway"]
EVERY = pytest.mark.parametrize("part", PARTS)
IMPORT_ALL = """
import importlib, os, pkgutil, sys
sys.path.insert(0, os.getcwd())
for package in ("services", "gateway"):
    if os.path.isdir(package):
        loaded = importlib.import_module(package)
        names = sorted(m.name for m in pkgutil.walk_packages(loaded.__path__, f"{package}."))
        for name in sorted(names, key=lambda name: not name.endswith("runner")):  # it has to be first
            importlib.import_module(name)
"""


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    made = tmp_path / ".secrets"
    make(made)
    return made


def dockerfile(part: str) -> str:
    return (ROOT / PARTS[part]["build"]["dockerfile"]).read_text()


def targets(part: str) -> set[str]:
    """The names under which a part finds its secrets."""
    return {each if isinstance(each, str) else each["target"] for each in PARTS[part]["secrets"]}


@EVERY
def test_a_part_is_watched_limited_and_confined(part: str) -> None:
    says = PARTS[part]
    assert says["healthcheck"]["test"][0] == "CMD"
    assert says["mem_limit"].endswith("m")
    assert says["pids_limit"] <= 1000
    assert says["read_only"] is True
    assert says["cap_drop"] == ["ALL"]
    assert says["security_opt"] == ["no-new-privileges:true"]
    assert says["restart"] == "unless-stopped"
    assert says["logging"]["options"]["max-size"], "logs don't fill the disk"
    user = says.get("user") or re.findall(r"^USER (.+)$", dockerfile(part), re.MULTILINE)[-1]
    assert user.split(":")[0] not in ("0", "root")


@EVERY
def test_a_part_can_only_be_reached_from_this_machine(part: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in PARTS[part].get("ports", ()))


@EVERY
def test_secrets_come_as_files_that_are_made(part: str, secrets: Path) -> None:
    environment = PARTS[part].get("environment", {})
    named = {value.removeprefix("/run/secrets/") for name, value in environment.items() if name.endswith("_FILE")}
    assert named <= targets(part)
    assert not [value for value in environment.values() if re.search(r"//[^/]*@", str(value))]
    for each in PARTS[part]["secrets"]:
        file = COMPOSE["secrets"][each if isinstance(each, str) else each["source"]]["file"]
        made = secrets.parent / file
        assert made.read_text(), file
        assert made.stat().st_mode & 0o777 == 0o444, "the container's user reads it as it is"
    assert secrets.stat().st_mode & 0o777 == 0o700


def test_each_has_its_own_users_and_only_members_can_sign() -> None:
    for name in OURS:
        sources = {each["target"]: each["source"] for each in PARTS[name]["secrets"] if isinstance(each, dict)}
        wanted = {"amqp_uri": f"{name}_amqp_uri"} | ({"mongo_uri": f"{name}_mongo_uri"} if name != "gateway" else {})
        assert sources == wanted
    assert [name for name in PARTS if "token_private_key.pem" in targets(name)] == ["members"]
    assert "stores" not in PARTS["gateway"]["networks"]


def test_a_start_waits_for_what_is_needed_to_be_healthy() -> None:
    for name in OURS:
        needs = PARTS[name]["depends_on"]
        assert set(needs) == ({"rabbitmq", *SERVICES} if name == "gateway" else {"rabbitmq", "mongo"})
        assert {each["condition"] for each in needs.values()} == {"service_healthy"}


@pytest.mark.parametrize("part", OURS)
def test_every_setting_exists(part: str) -> None:
    source = (ROOT / "services/ground/settings.py").read_text()
    source += (ROOT / ("gateway/config.py" if part == "gateway" else f"services/{part}/__main__.py")).read_text()
    known = set(re.findall(r'"([A-Z][A-Z_]+)"', source))
    known |= {f"{name}_FILE" for name in re.findall(r'(?:secret|server)\(env, "([A-Z_]+)"', source)}
    assert set(PARTS[part]["environment"]) <= known
    # The rights on the bus name a queue for each delay.
    assert "RETRY_DELAYS" not in PARTS[part]["environment"]


@pytest.mark.parametrize("part", OURS)
def test_an_image_holds_what_it_imports_and_nothing_of_the_others(part: str, tmp_path: Path) -> None:
    last = dockerfile(part).rpartition("FROM ")[2]
    for line in re.findall(r"^COPY (?!--from)(.+)$", last, re.MULTILINE):
        *sources, to = line.replace("${SERVICE}", part).split()
        for source in (found for pattern in sources for found in ROOT.glob(pattern)):
            place = tmp_path / to / (source.name if to.endswith("/") else "")
            if source.is_dir():
                shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, place)
    inside = {path.name for path in (tmp_path / "services").iterdir() if path.is_dir()}
    assert inside == {"contracts", "ground"} | ({"chassis", part} if part != "gateway" else set())
    done = subprocess.run(
        [sys.executable, "-P", "-c", IMPORT_ALL], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not any((tmp_path / name).exists() for name in ("deploy", "tests"))


def test_images_are_built_from_a_base_that_is_named_and_locks_with_hashes() -> None:
    for part in OURS:
        text = dockerfile(part)
        assert PARTS[part]["build"]["args"]["BASE"] == "${BASE:-python:3.11-slim}"
        stages = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
        assert stages == ["${BASE}"] * (3 if part == "gateway" else 2), "the gateway's also builds the app"
        assert "--require-hashes --only-binary :all:" in text
        assert f"COPY requirements/{'${SERVICE}' if part != 'gateway' else part}.txt /tmp/lock.txt" in text


def test_the_images_have_the_version_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {PARTS[part]["image"] for part in OURS} == {f"hearth/{part}:${{VERSION:-{version}}}" for part in OURS}


def test_the_store_makes_the_users_that_the_secrets_name(secrets: Path) -> None:
    script = (ROOT / "deploy/mongo/users.js").read_text()
    named = re.search(r"const services = (\[.+\]);", script)
    assert named
    assert json.loads(named[1]) == list(SERVICES)
    assert f"`{PREFIX}${{service}}`" in script
    assert set(json.loads((secrets / "mongo_passwords.json").read_text())) == {*SERVICES, "operator", "root"}
    for name in SERVICES:
        assert f"authSource={PREFIX}{name}" in (secrets / f"{name}_mongo_uri").read_text()


def test_secrets_are_made_once_and_are_nowhere_the_same(secrets: Path, tmp_path: Path) -> None:
    def kept(folder: Path) -> dict[str, str]:
        files = {path.name: path.read_text() for path in folder.rglob("*") if path.is_file()}
        return {name: text for name, text in files.items() if name != "rabbitmq_definitions.json"}  # salted anew

    before = kept(secrets)
    make(secrets)
    assert kept(secrets) == before
    make(tmp_path / "other")
    other = kept(tmp_path / "other")
    assert not [name for name in before if before[name] == other[name]]


def test_secrets_are_ignored_by_git_and_images() -> None:
    ignored = subprocess.run(["git", "check-ignore", ".secrets/passwords.json"], cwd=ROOT, check=False)
    assert ignored.returncode == 0
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert rules[0] == "*"
    assert {line for line in rules if line.startswith("!")} == {"!services", "!gateway", "!requirements"}
