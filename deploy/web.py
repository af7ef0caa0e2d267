"""`python -m deploy.web [--check]`: build the web app into `build/web`, unless the same sources were built already.

`--check` also checks its types and style, and weighs what a browser loads. Node.js comes from the Python environment.
"""

import fcntl
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "gateway" / "web"
OPENAPI = ROOT / "gateway" / "openapi.json"
CLIENT = ROOT / "gateway" / "clients" / "typescript" / "src"
BUILT = ROOT / "build" / "web"
STAMP = BUILT / "stamp"
NOT_OURS = {"node_modules", ".vite"}
# Bytes of a browser's first screen and of one more screen, pressed as by gzip.
FIRST_SCRIPT, FIRST_STYLE, LATER = 90_000, 20_000, 25_000


class CannotBuild(Exception):
    """The app can't be built; the sentence says what to do."""


def _files() -> Iterator[Path]:
    yield OPENAPI  # it says who may do what
    for folder in (SOURCES, CLIENT):
        yield from (each for each in sorted(folder.rglob("*")) if each.is_file() and not NOT_OURS & {*each.parts})


def stamp() -> str:
    """A digest of all that the build is made of."""
    digest = hashlib.sha256()
    for file in _files():
        digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def npm(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    """Run npm in a folder. Raises CannotBuild if there is none."""
    tools = Path(sys.executable).parent
    environment = os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', '')}"}
    found = shutil.which("npm", path=environment["PATH"])
    if found is None:
        raise CannotBuild("npm is missing: `make web` installs it into .venv.")
    line = [found, "--silent", *command]
    return subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def _npm(*command: str) -> None:
    done = npm(SOURCES, *command)
    if done.returncode:
        raise CannotBuild(f"npm {' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def _install(*, everything: bool) -> None:
    """Install what builds the app, or `everything`: also what checks it. Nothing is done if it is there already."""
    lock = hashlib.sha256((SOURCES / "package-lock.json").read_bytes()).hexdigest()
    noted = SOURCES / "node_modules" / ".installed"
    found = noted.read_text().split() if noted.is_file() else []
    if found[:1] == [lock] and (not everything or found[1:] == ["everything"]):
        return
    _npm("ci", *([] if everything else ["--omit=dev"]))
    noted.write_text(f"{lock} {'everything' if everything else ''}")


def build(*, check: bool = False, everything: bool = False) -> bool:
    """Build the app. Returns False if the same sources were built before. Raises CannotBuild.

    `everything` also installs what tests need; `check` checks types and style, too.
    """
    BUILT.parent.mkdir(exist_ok=True)
    with (BUILT.parent / "web.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # somebody else may be building just now
        wanted = stamp()
        old = STAMP.is_file() and STAMP.read_text() == wanted
        if check or everything or not old:
            _install(everything=check or everything)
        if check:
            _npm("run", "check")
        if not old:
            _npm("run", "build")
            STAMP.write_text(wanted)
        return not old


def weights() -> dict[str, int]:
    """Bytes, pressed, of the first screen's scripts and styles, and of the heaviest screen that is loaded later."""
    files = json.loads((BUILT / "files.json").read_text())
    first = _loaded(files, next(name for name, each in files.items() if each.get("isEntry")))
    words = max(_pressed(each["file"]) for name, each in files.items() if "words" in name)
    later = {
        name: sum(_pressed(files[each]["file"]) for each in _loaded(files, name) - first)
        for name, found in files.items()
        if found.get("isDynamicEntry") and "words" not in name
    }
    styles = {css for name in first for css in files[name].get("css", [])}
    return {
        "script of the first screen": sum(_pressed(files[name]["file"]) for name in first) + words,
        "style of the first screen": sum(map(_pressed, styles)),
        f"heaviest later screen ({max(later, key=lambda each: later[each])})": max(later.values()),
    }


def _loaded(files: dict[str, dict[str, list[str]]], name: str) -> set[str]:
    """The names of a file and of all that it needs."""
    found, waiting = set[str](), [name]
    while waiting:
        if (each := waiting.pop()) not in found:
            found.add(each)
            waiting += files[each].get("imports", [])
    return found


def _pressed(name: str) -> int:
    return len(gzip.compress((BUILT / name).read_bytes(), 9))


def _weigh() -> None:
    for (what, bytes_), most in zip(weights().items(), (FIRST_SCRIPT, FIRST_STYLE, LATER), strict=True):
        print(f"{what}: {bytes_ / 1000:.1f} KB of at most {most / 1000:.0f}")
        if bytes_ > most:
            raise CannotBuild(f"The {what} is too heavy: load less at first, or use a smaller library.")


def main(check: bool) -> None:
    """Build, and say what was done."""
    try:
        made = build(check=check)
        print("The web app is built." if made else "The web app is built already.")
        if check:
            _weigh()
    except CannotBuild as why:
        sys.exit(str(why))


if __name__ == "__main__":
    main("--check" in sys.argv[1:])
