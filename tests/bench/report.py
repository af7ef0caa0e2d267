"""The results: a table for the terminal, JSON for programs, Markdown for readers."""

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from tests.bench.rows import Row

TITLES = ("what", "value", "against", "limit", "ratio", "spread", "target", "")
HOW = (
    "Each figure was measured in turn with its limit, in one run on one machine. A ratio is the median of those runs, "
    "its spread the least and the greatest. Larger is better: where a value should be small, ratio and target are "
    "turned over."
)


def number(value: float) -> str:
    """Format a number with its significant digits only."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def cells(row: Row) -> list[str]:
    """The table's cells for a measured row."""
    name = f"{row.name} ({row.note})" if row.note else row.name
    spread = f"{min(row.ratios):.2f}–{max(row.ratios):.2f}" if len(row.runs) > 1 else "one run"
    value, limit = (f"{number(figure)} {row.unit}" for figure in (row.value, row.limit))
    return [name, value, row.against, limit, f"{row.ratio:.2f}", spread, f"≥ {row.target:.2f}", judged(row)]


def judged(row: Row) -> str:
    return "met" if row.met else "missed"


def split(rows: Iterable[Row]) -> tuple[list[Row], list[Row]]:
    """Split the rows into measured and unmeasured ones."""
    rows = list(rows)
    return [row for row in rows if row.runs], [row for row in rows if not row.runs]


def table(rows: Sequence[Row]) -> Table:
    """All that was measured, for the terminal."""
    shown = Table(*TITLES, box=box.SIMPLE_HEAD)
    for row in split(rows)[0]:
        *figures, verdict = cells(row)
        shown.add_row(*figures, verdict if row.met else f"[b]{verdict}[/b]")
    return shown


def as_json(rows: Sequence[Row], about: Mapping[str, str]) -> str:
    measured, others = split(rows)
    missing = [{"name": row.name, "why": row.why} for row in others]
    found = {"results": [row.as_json() for row in measured], "not_measured": missing}
    return json.dumps(dict(about) | found, indent=2, ensure_ascii=False) + "\n"


def as_markdown(rows: Sequence[Row], about: Mapping[str, str]) -> str:
    measured, others = split(rows)
    lines = ["# Measured", "", HOW, "", *(f"- {name}: {says}" for name, says in about.items()), ""]
    lines += [_line((*TITLES[:-1], "met")), _line(["---"] * len(TITLES))]
    lines += [_line([*cells(row)[:-1], "yes" if row.met else "**no**"]) for row in measured]
    if others:
        lines += ["", "Not measured:", "", *(f"- {row.name}: {row.why}" for row in others)]
    return "\n".join(lines) + "\n"


def _line(found: Sequence[str]) -> str:
    return f"| {' | '.join(found)} |"


def save(folder: Path, **files: str) -> None:
    """Write files, by their names' endings."""
    folder.mkdir(parents=True, exist_ok=True)
    for ending, text in files.items():
        (folder / f"bench.{ending}").write_text(text)


def machine() -> dict[str, Any]:
    """Describe the machine and the versions of the packages."""
    parts = ("nameko", "amqp", "kombu", "eventlet", "pymongo", "flask", "gunicorn", "gevent")
    return {
        "machine": f"{platform.system()} {platform.machine()}, {cores()} cores, for all that is measured and the load",
        "versions": f"Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in parts),
    }


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
