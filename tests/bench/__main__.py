"""`python -m tests.bench`: see the package."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.local import CannotRun
from deploy.local.platform import ROOT
from tests.bench import load, report
from tests.bench.ground import SCALES, Ground, Scale
from tests.bench.parts import NotMeasured, Part, known
from tests.bench.plot import plot
from tests.bench.rows import Row
from tests.rig import backends

WIDTH = 150
KEEP = bool(os.environ.get("KEEP"))
FILES = 65536  # for thousands of streams
KEPT = ROOT / "tests" / "bench"


def _chosen(parts: dict[str, Part]) -> tuple[list[Part], Scale]:
    """ONLY names parts, or words that occur in the names of rows."""
    wanted = [word.strip().lower() for word in os.environ.get("ONLY", "").split(",") if word.strip()]
    fits = {word: [parts[word]] if word in parts else _mentioning(parts, word) for word in wanted}
    if unknown := [word for word, found in fits.items() if not found]:
        sys.exit(f"ONLY knows {', '.join(parts)} and words of the rows' names, not {', '.join(unknown)}.")
    if KEEP and wanted:
        sys.exit("KEEP takes the results of all parts, not of those that ONLY names.")
    named = [each for found in fits.values() for each in found]
    scale = os.environ.get("SCALE") or "full"
    if scale not in SCALES:
        sys.exit(f"SCALE is one of {', '.join(SCALES)}, not {scale}.")
    in_short = SCALES[scale].name != "full" and not wanted
    for row in (row for each in parts.values() for row in each.rows if each.slow and in_short):
        row.why = "it is slow; SCALE=full measures it, or ONLY"
    return [each for each in parts.values() if not wanted or each in named], SCALES[scale]


def _mentioning(parts: dict[str, Part], word: str) -> list[Part]:
    return [part for part in parts.values() if any(word in row.name.lower() for row in part.rows)]


def _measure(part: Part, ground: Ground) -> bool:
    """Fill the rows of a part. Returns True if nothing unforeseen happened."""
    why, well = "its part left it out", True
    if all(row.why for row in part.rows):
        return well
    try:
        part.measure(ground, *part.rows)
    except NotMeasured as missing:
        why = str(missing)
    except Exception as error:  # the others go on
        why, well = f"{type(error).__name__}: {error}".partition("\n")[0], False
        ground.alone()
        says = f"\n{error.stderr}" if isinstance(error, subprocess.CalledProcessError) else ""
        ground.say(f"{part.name}:\n{traceback.format_exc()}{says}")
    for row in part.rows:
        row.why = row.why or ("" if row.runs else why)
    return well


def main() -> int:
    """Measure, show, and write build/bench.{json,md,svg}; 1 when a part failed."""
    parts, scale = _chosen(known())
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell in the background has SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, FILES), most))
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    with tempfile.TemporaryDirectory() as folder, backends.start() as backend:
        about = report.machine() | {
            "backends": backend.described,
            "load": load.GENERATOR,
            "scale": scale.name,
        }
        for name, says in about.items():
            console.print(f"{name}: {says}")
        well = _measure_all(parts, Ground(backend, scale, Path(folder)), console)
    rows = [row for part in parts for row in part.rows]
    console.print(report.table(rows))
    for row in report.split(rows)[1]:
        console.print(f"not measured: {row.name}: {row.why}", markup=False)
    _save(rows, about)
    return 0 if well else 1


def _measure_all(parts: list[Part], ground: Ground, console: Console) -> bool:
    """Fill the rows of all parts, with two bars: for the parts, and for the turns of the present one."""
    bars = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    well = True
    with Progress(*bars, console=console, transient=True) as progress:
        whole, turns = progress.add_task("all", total=len(parts)), progress.add_task("")
        ground.say = lambda says: console.print(says, markup=False)
        ground.turned = lambda done, of: progress.update(turns, completed=done, total=of)
        try:
            for part in parts:
                progress.update(turns, description=part.name, completed=0, total=1)
                well = _measure(part, ground) and well
                ground.clear()
                progress.advance(whole)
                for row in part.rows:
                    ground.say(_said(row))
        finally:
            ground.close()
    return well


def _said(row: Row) -> str:
    return f"  {row.name}: {row.ratio:.2f} of {row.against}" if row.runs else f"  {row.name}: not measured"


def _save(rows: list[Row], about: dict[str, str]) -> None:
    into = Path(os.environ.get("INTO") or ROOT / "build")
    written = {"json": report.as_json(rows, about), "md": report.as_markdown(rows, about), "svg": plot(rows, about)}
    report.save(into, **written)
    if KEEP:
        for ending in ("md", "svg"):
            shutil.copy(into / f"bench.{ending}", KEPT / f"results.{ending}")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CannotRun as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit("Interrupted.")
