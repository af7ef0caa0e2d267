"""`python -m deploy.local up|run|stop|reset|status|env`: see `--help`."""

import argparse
import os
import shlex
import sys
from datetime import timedelta
from pathlib import Path

from honcho.environ import parse

from deploy.local import CannotRun, given
from deploy.local.clock import read
from deploy.local.platform import ROOT, Platform

COMMANDS = {
    "up": "start everything in the background and wait until it is ready",
    "run": "the same in the foreground, with everybody's output; Ctrl-C stops it",
    "stop": "stop what this checkout started",
    "reset": "stop, and delete all data, keys and logs",
    "clock": "move the clock of all processes (clock +5w), or say how far it is ahead; needs --movable",
    "status": "say what runs (exit code 3: nothing; 1: leftovers of a supervisor that was killed)",
    "env": 'print the settings of the running platform for a shell: eval "$(python -m deploy.local env)"',
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.local",
        description="Run the whole platform on this machine.",
        epilog="\n".join(f"{name:8}{what}" for name, what in COMMANDS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--base", type=Path, default=ROOT / ".hearth", help="where everything is kept")
    parser.add_argument("--procfile", type=Path, default=Path(__file__).with_name("Procfile"), help="other processes")
    parser.add_argument("--movable", action="store_true", help="up, run: the clock may be moved, until a reset")
    parser.add_argument("command", choices=[*COMMANDS, "supervise"], metavar="|".join(COMMANDS))
    parser.add_argument("by", nargs="?", help="clock: +5w, +35d, +12h")
    return parser.parse_args()


def _use_env_file(path: Path) -> None:
    """Take variables from `.env` that the environment does not set."""
    if path.exists():
        for name, value in parse(path.read_text()).items():
            os.environ.setdefault(name, value)


def main() -> int:
    """Runs the command line; returns the exit code."""
    arguments = _arguments()
    _use_env_file(ROOT / ".env")
    given.take()
    platform = Platform(arguments.base, arguments.procfile, movable=arguments.movable)
    match arguments.command:
        case "up":
            return platform.up()
        case "run" | "supervise":
            platform.serve(foreground=arguments.command == "run")
        case "stop":
            print(platform.stop())
        case "reset":
            print(platform.reset())
        case "clock":
            ahead = platform.clock.move(read(arguments.by) if arguments.by else timedelta())
            print(f"The clock is ahead by {ahead}." if ahead else "The clock goes right.")
        case "status":
            print(*platform.status(), sep="\n")
            return 0 if platform.runs else 1 if platform.remains else 3
        case "env":
            for name, value in platform.settings().items():
                print(f"export {name}={shlex.quote(value)}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CannotRun as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit(130)
