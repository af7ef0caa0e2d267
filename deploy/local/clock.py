"""The movable clock of a platform without real users: a file in its folder, which all its processes follow."""

import re
import time
from datetime import timedelta
from pathlib import Path

from deploy.local import CannotRun, private
from services.ground import clock

UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
FARTHEST = timedelta(days=100 * 365)  # limit of all moves together, so that no moment leaves the calendar


class Clock:
    """The file `clock` in a folder of state."""

    def __init__(self, base: Path) -> None:
        self.file = base.resolve() / "clock"

    @property
    def movable(self) -> bool:
        return self.file.exists()

    def prepare(self) -> None:
        """Make the file, with the right time. An existing file stays, so that no stored moment is in the future."""
        if not self.movable:
            self._write(timedelta())

    def move(self, by: timedelta) -> timedelta:
        """Move the clock forward for all processes, and wait until each has seen it. Returns how far ahead it is."""
        if not self.movable:
            raise CannotRun("This clock can't be moved: only that of a platform which was started with --movable can.")
        if not timedelta() <= by <= FARTHEST - self.ahead:
            raise CannotRun(f"A clock moves forwards, by {FARTHEST.days} days in all.")
        ahead = self.ahead + by
        self._write(ahead)
        time.sleep(2 * clock.EVERY)
        return ahead

    @property
    def ahead(self) -> timedelta:
        return timedelta(seconds=clock.ahead(self.file))

    def _write(self, ahead: timedelta) -> None:
        private.write(self.file, f"{clock.MOVABLE}\n{ahead // timedelta(seconds=1)}\n")


def read(by: str) -> timedelta:
    """A span such as `+5w`, `+35d`, `+12h`. Raises CannotRun for any other text."""
    found = re.fullmatch(r"\+(\d{1,6})([wdhms])", by)
    if found is None:
        raise CannotRun("Say by how much: +5w, +35d, +12h, +90m or +30s.")
    return timedelta(**{UNITS[found[2]]: int(found[1])})
