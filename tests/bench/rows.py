"""A row: a figure beside its limit, taken several times, and what their ratio should be."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from statistics import median
from typing import Any

NONE = 0.0  # as `at_most`: there must be none at all


@dataclass
class Row:
    """`runs` are pairs of value and limit, of the same `unit`. The target is what value / limit should be.

    Where it should be small (`at_most`), `ratio` and `target` are turned over: larger is better in all rows.
    """

    name: str
    unit: str
    against: str
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""  # a difference in this run, such as a smaller size
    why: str = ""  # it was not measured
    runs: list[tuple[float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        assert (self.at_least is None) != (self.at_most is None), f"{self.name}: one target"

    def add(self, value: float, limit: float) -> None:
        """One more run."""
        self.runs.append((value, limit))

    @property
    def value(self) -> float:
        return median(value for value, _ in self.runs)

    @property
    def limit(self) -> float:
        return median(limit for _, limit in self.runs)

    @property
    def ratios(self) -> list[float]:
        """One a run: what disturbs the machine for longer disturbs both."""
        return [self._ratio(value, limit) for value, limit in self.runs]

    def _ratio(self, value: float, limit: float) -> float:
        if self.at_least is not None:
            return value / limit
        return 1 / (1 + value) if self.at_most == NONE else limit / value

    @property
    def ratio(self) -> float:
        return median(self.ratios)

    @property
    def target(self) -> float:
        if self.at_least is not None:
            return self.at_least
        return 1 / self.at_most if self.at_most else 1.0

    @property
    def says(self) -> str:
        """The target, in the words of the promise."""
        if self.at_least is not None:
            return f"≥ {self.at_least:.2f}"
        if self.at_most == 1 and self.runs:
            return f"≤ {self.limit:g} {self.unit}"
        return f"≤ {self.at_most:g} ×" if self.at_most else "none"

    @property
    def met(self) -> bool:
        return self.ratio >= self.target

    def as_json(self) -> dict[str, Any]:
        runs = [
            {"value": value, "limit": limit, "ratio": ratio}
            for (value, limit), ratio in zip(self.runs, self.ratios, strict=True)
        ]
        figures = {"value": self.value, "unit": self.unit, "against": self.against, "limit": self.limit}
        wanted = {"ratio": self.ratio, "target": self.target, "says": self.says, "met": self.met}
        return {"name": self.name} | figures | wanted | {"note": self.note, "runs": runs}


def percentile(taken: Sequence[float], share: float) -> float:
    """The value that this share of the figures does not exceed."""
    return sorted(taken)[max(ceil(len(taken) * share) - 1, 0)]
