"""Processes of the checkout: recognising them after a crash, and ending them."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local import private

# The variable by which we recognise what we started, and what that started in turn: `members@/home/me/hearth/.hearth`.
MARK = "HEARTH_PART"
AGAIN = 0.5  # seconds after which a process that may not have heard is asked again to end


@dataclass(frozen=True)
class Program:
    """A named command with its whole environment. One that is `deaf_at_first` misses a SIGTERM while it begins."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    deaf_at_first: bool = False


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
    deaf_at_first: bool = False

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
    asked = time.monotonic()
    deadline = asked + patience
    while any(life.lasts for life in lives) and (now := time.monotonic()) < deadline and not hurry():
        if now - asked >= AGAIN:
            asked = now
            for life in lives:
                if life.deaf_at_first:
                    life.signal(signal.SIGTERM)
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
        self._base = base.resolve()

    def mark(self, name: str) -> dict[str, str]:
        """The environment variable by which a process of this folder is recognised."""
        return {MARK: f"{name}@{self._base}"}

    def write(self, lives: Sequence[Life]) -> None:
        private.write_json(self._path, {life.name: [life.pid, life.birth, life.deaf_at_first] for life in lives})

    def living(self) -> list[Life]:
        """The processes of the last record that still run."""
        lives = [Life(name, *facts) for name, facts in private.read_json(self._path).items()]
        return [life for life in lives if life.lasts]

    def astray(self) -> list[Life]:
        """Processes of this folder that are in no record: somebody died before writing it, or their parent did.

        Only Linux tells; elsewhere the list is empty.
        """
        recorded = {life.pid for life in self.living()}
        found = [Life(name, pid, birth(pid) or "") for pid, name in self._marked() if pid not in recorded]
        return [life for life in found if life.lasts]

    def everything(self) -> list[Life]:
        """All that runs of this folder."""
        return [*self.living(), *self.astray()]

    def _marked(self) -> Iterator[tuple[int, str]]:
        for environment in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):  # it has ended, or it is somebody else's
                for each in environment.read_bytes().split(b"\0"):
                    name, at, base = os.fsdecode(each).removeprefix(f"{MARK}=").partition("@")
                    if each.startswith(f"{MARK}=".encode()) and at and base == str(self._base):
                        yield int(environment.parent.name), name


def clear(ledger: Ledger, *, patience: float) -> list[str]:
    """Ends all that still runs of a ledger, first what is recorded, then what is astray. Returns their names."""
    ended: dict[str, None] = {}
    for lives in (ledger.living, ledger.astray):
        found = lives()
        end(found, patience=patience)
        ended |= dict.fromkeys(life.name for life in found)
    return list(ended)
