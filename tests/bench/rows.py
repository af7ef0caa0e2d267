"""What is measured, as rows of a table and as JSON."""

import json
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from rich import box
from rich.table import Table

MEGABYTE = 1_000_000


@dataclass
class Row:
    """A figure beside its limit, measured in turn: `runs` are pairs of both. `target` is what the ratio should be."""

    name: str
    unit: str
    against: str
    at_least: float | None = None
    at_most: float | None = None
    runs: list[tuple[float, float]] = field(default_factory=list)

    def measure(self, runs: int, value: Callable[[], float], limit: Callable[[], float]) -> None:
        """Take both in turn; each value's limit is the mean of those just before and just after it."""
        before = limit()
        for _ in range(runs):
            found, after = value(), limit()
            self.runs.append((found, (before + after) / 2))
            before = after

    @property
    def value(self) -> float:
        return median(value for value, _ in self.runs)

    @property
    def limit(self) -> float:
        return median(limit for _, limit in self.runs)

    @property
    def ratio(self) -> float:
        """The median of the ratios of each pair: what disturbs the machine for longer disturbs both."""
        return median(value / limit for value, limit in self.runs)

    @property
    def target(self) -> str:
        return f"≥ {self.at_least:.2f}" if self.at_least is not None else f"≤ {self.at_most:.2f}"

    @property
    def met(self) -> bool:
        return (self.at_least is None or self.ratio >= self.at_least) and (
            self.at_most is None or self.ratio <= self.at_most
        )

    def as_json(self) -> dict[str, Any]:
        runs = [{"value": value, "limit": limit, "ratio": value / limit} for value, limit in self.runs]
        figures = {"value": self.value, "unit": self.unit, "against": self.against, "limit": self.limit}
        return {"name": self.name, **figures, "ratio": self.ratio, "target": self.target, "runs": runs}


def table(rows: list[Row]) -> Table:
    """All rows for the terminal."""
    shown = Table("what", "value", "against", "limit", "ratio", "target", "", "ratios", box=box.SIMPLE_HEAD)
    for row in rows:
        runs = " ".join(f"{value / limit:.2f}" for value, limit in row.runs)
        figures = f"{row.value:,.0f} {row.unit}", row.against, f"{row.limit:,.0f} {row.unit}", f"{row.ratio:.2f}"
        shown.add_row(row.name, *figures, row.target, "met" if row.met else "[b]missed[/b]", runs)
    return shown


def save(path: Path, rows: list[Row], **about: str) -> None:
    """Write all rows, with what is known about the machine and the run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(about | {"results": [row.as_json() for row in rows]}, indent=2) + "\n")


def machine() -> str:
    """What this was measured on."""
    parts = ("flask", "gunicorn", "gevent", "eventlet", "nameko", "amqp", "pymongo")
    versions = ", ".join(f"{name} {version(name)}" for name in parts)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{platform.machine()}, {cores} cores; Python {platform.python_version()}, {versions}"
