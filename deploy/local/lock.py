"""A lock that ends with its process, even after a crash."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from deploy.local import private


class Lock:
    """A `flock` on the file `<base>/lock`, which also holds the holder's pid."""

    def __init__(self, base: Path) -> None:
        self._path = base / "lock"

    @contextlib.contextmanager
    def hold(self) -> Iterator[bool]:
        """Holds the lock while the block lasts. Yields False if another process has it."""
        with self._open() as file:
            # Not at once: `held` takes the lock for a moment, too.
            if held := _take(file, fcntl.LOCK_EX, within=1.0):
                file.truncate(0)
                file.write(b"%d\n" % os.getpid())
                file.flush()
            yield held

    @property
    def held(self) -> bool:
        if not self._path.exists():
            return False
        with self._open() as file:
            return not _take(file, fcntl.LOCK_SH)

    @property
    def holder(self) -> int:
        """The pid of the present or last holder."""
        return int(self._path.read_text())

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
