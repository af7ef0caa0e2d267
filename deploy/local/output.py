"""Writes the processes' own output to files, or to the screen with a prefix."""

import queue
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import IO, Protocol

from honcho.colour import get_colours
from honcho.printer import Message, Printer

from deploy.local import private


class Output(Protocol):
    """A place for the output of processes and supervisor."""

    def target(self, name: str) -> int | IO[bytes]:
        """The standard output for the process with this name."""

    def follow(self, name: str, process: "subprocess.Popen[bytes]") -> None:
        """Takes care of the output of a process that has just started."""

    def say(self, sentence: str) -> None:
        """Write a sentence of the supervisor itself."""

    def wait(self, seconds: float) -> None:
        """Waits so many seconds, and shows new output meanwhile."""

    def last_words(self, name: str) -> str:
        """The end of a process's output, if it was not shown yet."""


class Files:
    """One file per process, `<name>.log`. The file of the previous run is kept as `<name>.log.1`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: set[str] = set()
        private.folder(folder)

    def path(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def target(self, name: str) -> IO[bytes]:
        path = self.path(name)
        if name not in self._seen and path.exists():
            path.replace(path.with_suffix(".log.1"))
        self._seen.add(name)
        return private.extend(path)

    def follow(self, name: str, process: "subprocess.Popen[bytes]") -> None:
        pass

    def say(self, sentence: str) -> None:
        print(sentence, flush=True)

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

    def last_words(self, name: str) -> str:
        if not self.path(name).exists():
            return ""
        lines = self.path(name).read_text(errors="replace").strip().splitlines()[-8:]
        return "".join(f"\n  {name} | {line}" for line in lines) + f"\n  (all of it: {self.path(name)})"


class Screen:
    """The lines of the processes in `shown`, each with the time and a name in its own colour. `files` get all."""

    def __init__(self, shown: list[str], files: Files) -> None:
        self._printer = Printer(sys.stdout, width=max(map(len, [*shown, "hearth"])))
        self._colours = dict(zip(shown, get_colours(), strict=False))
        self._files = files
        self._lines: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()

    def target(self, name: str) -> int | IO[bytes]:
        return subprocess.PIPE if name in self._colours else self._files.target(name)

    def follow(self, name: str, process: "subprocess.Popen[bytes]") -> None:
        if process.stdout:
            threading.Thread(target=self._read, args=(name, process.stdout), daemon=True).start()

    def _read(self, name: str, stream: IO[bytes]) -> None:
        with stream, self._files.target(name) as kept:
            for line in stream:
                kept.write(line)
                kept.flush()
                self._lines.put((name, line))

    def _show(self, name: str, text: str | bytes) -> None:
        self._printer.write(Message("line", text, datetime.now().astimezone(), name, self._colours.get(name)))

    def say(self, sentence: str) -> None:
        self._show("hearth", sentence)

    def wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                self._show(*self._lines.get(timeout=left))
            except queue.Empty:
                return

    def last_words(self, name: str) -> str:
        return "" if name in self._colours else self._files.last_words(name)
