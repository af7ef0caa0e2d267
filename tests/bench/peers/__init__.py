"""Peers: what others would build, each in its framework's own way and in an environment of its own.

Only the standard library is imported here: the peers themselves are modules of this package.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BUILT = HERE.parents[2] / "build" / "peers"
INSTALLED_WITHIN = 600  # seconds


class Unprepared(Exception):
    """A peer's packages can't be had; says which and why."""


def prepared(name: str, locks: Path = HERE, built: Path = BUILT) -> Path:
    """The Python of a peer's environment, which is made once and again when its lock changes. Raises Unprepared."""
    lock, folder = locks / name / "requirements.txt", built / name
    python, stamp = folder / "bin" / "python", folder / "lock.sha256"
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    _run(name, "-m", "venv", "--without-pip", str(folder))
    install = ("install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(lock))
    _run(name, "-m", "pip", "--python", str(python), *install)
    stamp.write_text(digest)
    return python


def _run(name: str, *command: str) -> None:
    try:
        command = (sys.executable, *command)
        subprocess.run(command, capture_output=True, text=True, check=True, timeout=INSTALLED_WITHIN)
    except subprocess.CalledProcessError as error:
        says = (error.stderr or error.stdout).strip().splitlines()
        raise Unprepared(f"The packages of {name} can't be had: {says[-1] if says else error}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unprepared(f"The packages of {name} can't be had: {error}") from None
