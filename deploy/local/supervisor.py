"""Keeps programs running: starts them group by group, restarts dead ones, ends all in the opposite order."""

import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local import CannotRun
from deploy.local.output import Output
from deploy.local.program import Ledger, Life, Program, birth, end, sweep

TICK = 0.1  # seconds between two looks at the processes
PATIENCE = 15.0  # seconds that a process has to end by itself
STEADY = 30.0  # seconds after which a process counts as healthy again
LONGEST_PAUSE = 10.0  # seconds between two attempts, at most
TOLD_AFTER = 5.0  # seconds after which we say for the first time what we wait for, then after twice as many
ATTEMPTS = 3  # of a program to come up while the platform starts


class Stopped(Exception):
    """A request to stop came while the platform was starting."""


@dataclass
class Watched:
    """A program and its present state."""

    program: Program
    process: "subprocess.Popen[bytes] | None" = None
    since: float = 0.0  # monotonic time of the last start
    due: float = 0.0  # monotonic time of the next start, while there is no process
    deaths: int = 0  # in a row


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


class Supervisor:
    """Runs programs from `folder`, records them in `ledger`, and shows them in `output`."""

    def __init__(self, folder: Path, ledger: Ledger, output: Output) -> None:
        self._folder = folder
        self._ledger = ledger
        self._output = output
        self._groups: list[list[Watched]] = []
        self._stops = 0

    def stop(self, *_signal: object) -> None:
        """Asks for the end. A second call ends the waiting for processes. Can be a signal handler."""
        self._stops += 1

    def start(self, programs: Sequence[Program]) -> None:
        """Starts a group of programs. They start and end together."""
        group = [Watched(program) for program in programs]
        self._groups.append(group)
        for watched in group:
            self._launch(watched)

    def until(self, missing: Callable[[], str], *, within: float) -> None:
        """Waits until nothing is `missing()`, and says now and then what is.

        Raises CannotRun after `within` seconds or when a program doesn't come up.
        """
        began = time.monotonic()
        told = TOLD_AFTER
        while what := missing():
            self._look(attempts=ATTEMPTS)
            if self._stops:
                raise Stopped
            waited = time.monotonic() - began
            if waited > within:
                words = "".join(self._output.last_words(watched.program.name) for watched in self._groups[-1])
                raise CannotRun(f"Not ready within {within:.0f} s: {what}.{words}")
            if waited > told:
                self._output.say(f"Waiting for {what} ({waited:.0f} s) …")
                told *= 2

    def watch(self) -> None:
        """Keeps everything running until `stop()`."""
        while not self._stops:
            self._look()

    def end(self) -> None:
        """Ends everything, the youngest group first."""
        while self._groups:
            watched = [w for w in self._groups.pop() if w.process]
            lives = self._lives([watched])
            for name in end(lives, patience=PATIENCE, wait=self._output.wait, hurry=lambda: self._stops > 1):
                self._output.say(f"{name} did not end by itself and was killed.")
            for w in watched:
                assert w.process
                w.process.wait()
            self._record()
        self._output.wait(TICK)

    def _look(self, attempts: int | None = None) -> None:
        self._output.wait(TICK)
        for watched in [watched for group in self._groups for watched in group]:
            if watched.process is None:
                if time.monotonic() >= watched.due and not self._stops:
                    self._launch(watched)
            elif (code := watched.process.poll()) is not None:
                self._bury(watched, code, attempts)

    def _launch(self, watched: Watched) -> None:
        name = watched.program.name
        target = self._output.target(name)
        try:
            watched.process = subprocess.Popen(
                watched.program.command,
                cwd=self._folder,
                env={**watched.program.environment, **self._ledger.mark(name)},
                stdin=subprocess.DEVNULL,
                stdout=target,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches only the supervisor, which ends them in order
                umask=0o077,  # only the owner may read the files that they write
            )
        except OSError as error:
            raise CannotRun(f"{name} cannot be started: {error}") from error
        if not isinstance(target, int):
            target.close()
        watched.since = time.monotonic()
        self._output.follow(name, watched.process)
        self._record()

    def _bury(self, watched: Watched, code: int, attempts: int | None) -> None:
        assert watched.process
        name = watched.program.name
        sweep(watched.process.pid)
        watched.process = None
        watched.deaths = 1 if time.monotonic() - watched.since > STEADY else watched.deaths + 1
        if attempts and watched.deaths >= attempts:
            self._output.wait(TICK)
            raise CannotRun(f"{name} does not come up ({_how(code)}).{self._output.last_words(name)}")
        pause = min(0.25 * 2**watched.deaths, LONGEST_PAUSE)
        watched.due = time.monotonic() + pause
        self._output.say(f"{name} ended ({_how(code)}); starting it again in {pause:g} s.")

    def _lives(self, groups: Sequence[Sequence[Watched]]) -> list[Life]:
        found = [(w.program, w.process.pid) for group in groups for w in group if w.process]
        return [Life(each.name, pid, born, each.deaf_at_first) for each, pid in found if (born := birth(pid))]

    def _record(self) -> None:
        self._ledger.write(self._lives(self._groups))
