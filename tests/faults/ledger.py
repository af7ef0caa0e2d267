"""The ledger: what was attempted and acknowledged, and which effects were observed."""

from collections import Counter
from collections.abc import Hashable, Iterable
from threading import Lock

Effect = Hashable  # an effect that an acknowledged attempt must have exactly once, such as (administrator, words)


class Ledger:
    """Compares effects that were attempted and acknowledged with those observed; may be written by many threads."""

    def __init__(self) -> None:
        self.attempted: set[Effect] = set()
        self.acknowledged: set[Effect] = set()
        self._observed: dict[str, Counter[Effect]] = {}
        self._lock = Lock()

    def attempt(self, effects: Iterable[Effect]) -> None:
        """These may come about from now on."""
        with self._lock:
            self.attempted.update(effects)

    def acknowledge(self, effects: Iterable[Effect]) -> None:
        """These were promised."""
        with self._lock:
            self.acknowledged.update(effects)

    def observe(self, effects: Iterable[Effect], source: str = "inboxes") -> None:
        """All that a source shows at present, in place of what it showed before."""
        seen = Counter(effects)
        with self._lock:
            self._observed[source] = seen

    @property
    def observed(self) -> Counter[Effect]:
        """Every effect, and how often it was seen."""
        return sum(self._observed.values(), Counter())

    @property
    def lost(self) -> int:
        """Acknowledged, and not observed."""
        return len(self.acknowledged - self.observed.keys())

    @property
    def unexpected(self) -> int:
        """Observed, and never attempted."""
        return len(self.observed.keys() - self.attempted)

    @property
    def duplicated(self) -> int:
        """Observed more than once."""
        return sum(count - 1 for count in self.observed.values())

    @property
    def recovered(self) -> int:
        """Attempted without an answer, yet observed."""
        return len((self.attempted - self.acknowledged) & self.observed.keys())
