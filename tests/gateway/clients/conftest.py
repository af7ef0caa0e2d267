"""The TypeScript client as an application has it: installed, built, beside scripts of the application's own."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local.platform import ROOT
from tests.rig.npm import NODE, install, npm

CLIENT = ROOT / "gateway/clients/typescript"
OPTIONS = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "--lib", "es2023,dom,dom.iterable"]

Complaints = Callable[[str, str], list[str]]


@pytest.fixture(scope="session")
def installed() -> Path:
    """The client with its packages."""
    return install(CLIENT)


@pytest.fixture(scope="session")
def application(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an application that has the client, fresh from its sources."""
    built = npm(CLIENT, "run", "build")
    assert built.returncode == 0, built.stdout + built.stderr
    folder = tmp_path_factory.mktemp("application")
    (folder / "node_modules/@hearth").mkdir(parents=True)
    (folder / "node_modules/@hearth/client").symlink_to(installed)
    (folder / "package.json").write_text('{"type": "module"}')
    return folder


@pytest.fixture
def complaints(application: Path, installed: Path) -> Complaints:
    """Put a script into the application; return the complaints of the compiler, one per line."""

    def check(name: str, text: str) -> list[str]:
        (application / name).write_text(text)
        command = [NODE, installed / "node_modules/typescript/bin/tsc", *OPTIONS, name]
        done = subprocess.run(command, check=False, cwd=application, capture_output=True, text=True)
        return (done.stdout + done.stderr).splitlines()

    return check
