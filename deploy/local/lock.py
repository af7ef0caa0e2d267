"""A lock that ends with its process, even after a crash."""

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from deploy.local import private
from deploy.local.program import Life, birth


class Lock:
    """A `flock` on the file `<base>/lock`, which also says who holds it."""

    def __init__(self, base: Path) -> None:
        self._path = base / "lock"

    @contextlib.contextmanager
    def hold(self) -> Iterator[bool]:
        """Holds the lock while the block lasts. Yields False if another process has it."""
        with self._open() as file:
            # Not at once: `held` takes the lock for a moment, too.
            if held := _take(file, fcntl.LOCK_EX, within=1.0):
                file.truncate(0)
                file.write(f"{os.getpid()} {birth(os.getpid())}\n".encode())
                file.flush()
            yield held

    @property
    def held(self) -> bool:
        if not self._path.exists():
            return False
        with self._open() as file:
            return not _take(file, fcntl.LOCK_SH)

    @property
    def holder(self) -> Life:
        """The present or last holder. Its life is over at once if another process has its pid by now."""
        pid, _, born = self._path.read_text().partition(" ") if self._path.exists() else ("", "", "")
        return Life("supervisor", int(pid or 0), born.strip())

    def take_away(self, patience: float) -> bool:
        """Asks the holder to end, and kills it after `patience` seconds. False if nobody holds the lock."""
        if not self.held:
            return False
        deadline = time.monotonic() + patience
        self.holder.signal(signal.SIGTERM)
        while self.held and time.monotonic() < deadline:
            time.sleep(0.1)
        if self.held:
            self.holder.signal(signal.SIGKILL)
        return True

    def _open(self) -> IO[bytes]:
        private.folder(self._path.parent)
        return private.extend(self._path)


def _take(file: IO[bytes], kind: int, within: float = 0.0) -> bool:
    deadline = time.monotonic() + within
    while True:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.05)
        else:
            return True
