"""The clock: the one place that knows what time it is, so that the domain need not.

A file may move the clock of a test or demo platform, which serves no real people. All processes of the platform
`follow` the same file and see a change within EVERY seconds. Everywhere else the clock is the machine's.
"""

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.contracts import moments

MOVABLE = "This platform serves nobody for real, so that its clock may be moved. It is ahead by so many seconds:"
EVERY = 0.05  # seconds between two looks at the file


class Moved:
    """The seconds by which a file moves the clock."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: tuple[int, int] | None = None
        self._look_at = 0.0
        self._seconds = 0
        self.seconds()

    def seconds(self) -> int:
        """The seconds by which the clock is ahead."""
        if (now := time.monotonic()) >= self._look_at:
            self._look_at = now + EVERY
            found = os.stat(self._file)
            if (found.st_ino, found.st_mtime_ns) != self._known:
                self._seconds, self._known = ahead(self._file), (found.st_ino, found.st_mtime_ns)
        return self._seconds


_moved: Moved | None = None


def ahead(file: Path) -> int:
    """The seconds that a file says. Raises ValueError if the file does not say that the clock may be moved."""
    first, _, seconds = file.read_text().strip().partition("\n")
    if first != MOVABLE:
        raise ValueError(f"{file} does not say that a clock may be moved")
    return int(seconds)


def follow(file: Path) -> None:
    """Let a file move the clock of this process. Raises ValueError or OSError if it may not."""
    global _moved  # noqa: PLW0603 - a process has one clock
    _moved = Moved(file)


def exact() -> datetime:
    """The present moment in UTC, to the microsecond."""
    if _moved is None:
        return datetime.now(UTC)
    return datetime.now(UTC) + timedelta(seconds=_moved.seconds())


def now() -> datetime:
    """The present moment in UTC, cut to the millisecond that the store keeps."""
    return moments.cut(exact())


def seconds() -> float:
    """The present moment in Unix seconds, as tokens say it."""
    return time.time() if _moved is None else time.time() + _moved.seconds()


def unmoved_ns() -> int:
    """The machine's own Unix nanoseconds, which nothing moves.

    Two processes measure with them together: the deadline of a call, the times of a span. A moved clock would be wrong
    there while only one of the two has seen the change.
    """
    return time.time_ns()
