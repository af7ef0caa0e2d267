"""Processes of the checkout: starting them, recognising them after a crash, and ending them."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local import private


@dataclass(frozen=True)
class Program:
    """A named command with its whole environment."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]


def birth(pid: int) -> str | None:
    """The start time of a process, in the system's own format; None once it has ended."""
    if os.path.exists("/proc/self/stat"):
        try:
            state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if state in "ZX" else fields[18]
    ps = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return ps.stdout.strip() or None


@dataclass(frozen=True)
class Life:
    """One run of a program. Its birth distinguishes it from a later process with the same pid."""

    name: str
    pid: int
    birth: str

    @property
    def lasts(self) -> bool:
        return birth(self.pid) == self.birth

    def signal(self, number: signal.Signals) -> None:
        if self.lasts:
            os.kill(self.pid, number)


def sweep(pid: int) -> None:
    """Kills the rest of the group of a process that has ended. Each program leads a group of its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def end(
    lives: Sequence[Life],
    *,
    patience: float,
    wait: Callable[[float], None] = time.sleep,
    hurry: Callable[[], bool] = lambda: False,
) -> list[str]:
    """Asks all to end. Kills those that still run after `patience` seconds, or as soon as `hurry()` is True.

    Returns the names of the killed ones. `wait` is called to pass the time in between.
    """
    for life in lives:
        life.signal(signal.SIGTERM)
    deadline = time.monotonic() + patience
    while any(life.lasts for life in lives) and time.monotonic() < deadline and not hurry():
        wait(0.05)
    killed = [life.name for life in lives if life.lasts]
    for life in lives:
        life.signal(signal.SIGKILL)
        sweep(life.pid)
    return killed


class Ledger:
    """A file that names the processes started from a folder, so that they can be ended later."""

    FILE = "processes.json"

    def __init__(self, base: Path) -> None:
        self._path = base / self.FILE

    def write(self, lives: Sequence[Life]) -> None:
        private.write_json(self._path, {life.name: [life.pid, life.birth] for life in lives})

    def living(self) -> list[Life]:
        """The processes of the last record that still run."""
        lives = [Life(name, pid, born) for name, (pid, born) in private.read_json(self._path).items()]
        return [life for life in lives if life.lasts]
