"""Processes that are started again when they die, as a supervisor does in production."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.rig.processes import Processes

PAUSE = 0.5  # seconds between a death and the next start
TICK = 0.05
Command = tuple[tuple[str, ...], dict[str, str]]


class Kept(Processes):
    """Keeps processes alive and remembers their deaths; `changed` is called after each start."""

    def __init__(self, environment: dict[str, str], folder: Path, changed: Callable[[], None]) -> None:
        super().__init__(environment, folder)
        self.commands: dict[str, Command] = {}
        self.deaths: list[tuple[str, int]] = []
        self._due: dict[str, float] = {}
        self._changed = changed
        self._lock = threading.RLock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def start(self, name: str, *command: str, **environment: str) -> "subprocess.Popen[bytes]":
        with self._lock:
            self.commands[name] = (command, environment)
            process = super().start(name, *command, **environment)
            self._changed()
            return process

    def pids(self) -> dict[str, int]:
        """The running processes: their pids by name."""
        with self._lock:
            return {name: process.pid for name, process in self._running.items() if process.poll() is None}

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal. A process that dies of it is started again."""
        with self._lock:
            self._running[name].send_signal(number)

    def end(self, name: str, seconds: float = 25) -> int:
        """Ask a process to stop for good; return its exit status."""
        with self._lock:
            self.commands.pop(name, None)
            self._due.pop(name, None)
        self._running[name].send_signal(signal.SIGCONT)
        return super().end(name, seconds)

    def replace(self, name: str, *command: str, **environment: str) -> None:
        """Run another command under a name."""
        if name in self.pids():
            self.end(name)
        self.start(name, *command, **environment)

    def crashes(self) -> list[str]:
        """Deaths that nobody planned: experiments end processes by SIGKILL, or politely."""
        return [f"{name}: exit {code}" for name, code in self.deaths if code not in (0, -signal.SIGKILL)]

    def stop(self) -> None:
        self._ending.set()
        self._thread.join()
        for pid in self.pids().values():
            os.kill(pid, signal.SIGCONT)
        super().stop()

    def _keep(self) -> None:
        while not self._ending.wait(TICK):
            with self._lock:
                for name, (command, environment) in list(self.commands.items()):
                    code = self._running[name].poll()
                    if code is None:
                        continue
                    if name not in self._due:
                        self.deaths.append((name, code))
                        self._due[name] = time.monotonic() + PAUSE
                    elif time.monotonic() >= self._due[name]:
                        del self._due[name]
                        self.start(name, *command, **environment)
