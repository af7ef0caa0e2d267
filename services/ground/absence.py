"""What is missing, told with few words: when it is noticed, then ever more rarely, and when it is there again."""

import time

from services.ground import logs
from services.ground.logs import log

FIRST, LONGEST = 10.0, 300.0  # seconds of silence after the first line, and at most


class Absence:
    """Something that is relied on. Many of a process may notice that it is missing; together they say it once."""

    def __init__(self, lost: str, found: str, **facts: str) -> None:
        self._lost, self._found, self._facts = lost, found, facts
        self._since: float | None = None
        self._told, self._silence = 0.0, FIRST

    def missed(self, error: BaseException) -> None:
        """It is missing just now, because of this."""
        now = time.monotonic()
        if self._since is None:
            self._since, self._silence = now, FIRST
            log.warning(self._lost, error=logs.kind(error), **self._facts)
        elif now - self._told >= self._silence:
            self._silence = min(self._silence * 2, LONGEST)
            log.warning(self._lost, error=logs.kind(error), seconds=round(now - self._since), **self._facts)
        else:
            return
        self._told = now

    def ended(self) -> None:
        """It is there."""
        if self._since is not None:
            log.info(self._found, seconds=round(time.monotonic() - self._since, 1), **self._facts)
            self._since = None
