"""`python -m tests.faults`: see the package."""

import importlib
import json
import os
import pkgutil
import secrets
import signal
import sys
import time

from rich import box
from rich.console import Console
from rich.table import Table

from deploy.local import CannotRun
from deploy.local.platform import ROOT
from tests.faults import experiments
from tests.faults.trial import EXPERIMENTS, Result, run
from tests.faults.world import world

WIDTH = 150
COUNTS = ("lost", "unexpected", "duplicated", "recovered")


def _chosen() -> tuple[list[int], bool, str]:
    for module in pkgutil.iter_modules(experiments.__path__, f"{experiments.__name__}."):
        importlib.import_module(module.name)
    scale = os.environ.get("SCALE") or "full"
    if scale not in ("smoke", "full"):
        sys.exit(f"SCALE is smoke or full, not {scale}.")
    named = [part.strip() for part in os.environ.get("ONLY", "").split(",") if part.strip()]
    if unknown := [part for part in named if not part.isdecimal() or int(part) not in EXPERIMENTS]:
        sys.exit(f"ONLY knows {', '.join(map(str, sorted(EXPERIMENTS)))}, not {', '.join(unknown)}.")
    ids = [int(part) for part in named] or sorted(
        id for id, (_, smoke, _) in EXPERIMENTS.items() if smoke or scale == "full"
    )
    return ids, scale == "full", os.environ.get("SEED") or secrets.token_hex(4)


def _table(results: list[Result]) -> Table:
    shown = Table("", "experiment", "passed", *COUNTS, "seconds", "sizes", box=box.SIMPLE_HEAD)
    for result in results:
        row = result.as_json()
        sizes = ", ".join(f"{name} {value}" for name, value in row["sizes"].items() if name != "problems")
        passed = "yes" if result.passed else "[b]no[/b]"
        shown.add_row(
            str(result.id), result.name, passed, *(str(row[name]) for name in COUNTS), str(row["seconds"]), sizes
        )
    return shown


def _save(results: list[Result], scale: str, seed: str) -> None:
    path = ROOT / "build" / "faults.json"
    path.parent.mkdir(exist_ok=True)
    found = {"scale": scale, "seed": seed, "experiments": [result.as_json() for result in results]}
    path.write_text(json.dumps(found, indent=2, default=str) + "\n")


def main() -> int:
    """Run what was chosen; 1 when an experiment failed, 130 when somebody interrupted it."""
    ids, full, seed = _chosen()
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    scale, began = "full" if full else "smoke", time.monotonic()
    console.print(f"scale {scale}, SEED={seed}, experiments {', '.join(map(str, ids))}")
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell in the background has SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    results: list[Result] = []
    try:
        with world() as made:
            for id in ids:
                result = run(id, made, full=full, seed=seed, say=lambda words: console.print(words, markup=False))
                results.append(result)
                console.print(f"  {'passed' if result.passed else 'FAILED'} in {result.seconds:.0f} s")
    except KeyboardInterrupt:
        console.print("Interrupted.")
        return 130
    except CannotRun as problem:
        sys.exit(str(problem))
    finally:
        if results:
            console.print(_table(results))
            _save(results, scale, seed)
    for result in results:
        for problem in result.problems:
            console.print(f"{result.id}. {problem}", markup=False)
    failed = [str(result.id) for result in results if not result.passed]
    console.print(
        f"{len(results) - len(failed)} of {len(results)} passed in {time.monotonic() - began:.0f} s, SEED={seed}"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
