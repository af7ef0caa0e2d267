"""A broker and a store of the suite's own, as processes that can be stopped, killed, frozen and started again."""

import os
import signal
import subprocess
import time
from pathlib import Path

from deploy.local.broker import Broker
from deploy.local.output import Files
from deploy.local.platform import ROOT
from deploy.local.store import Store

UP_WITHIN = 60.0  # seconds
DOWN_WITHIN = 60.0


class Server:
    """The broker or the store; its last program is the one that experiments break."""

    def __init__(self, kind: Broker | Store, logs: Files) -> None:
        kind.prepare()
        self.uri, self.programs = kind.uri, kind.programs()
        self._kind, self._logs = kind, logs
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> float:
        """Start what does not run; returns the moment (monotonic) at which it answers."""
        for program in self.programs:
            if program.name not in self.running or self.running[program.name].poll() is not None:
                with self._logs.target(program.name) as log:
                    self.running[program.name] = subprocess.Popen(
                        program.command,
                        cwd=ROOT,
                        env=program.environment,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,  # a Ctrl-C reaches the suite alone, which ends them in order
                    )
        until = time.monotonic() + UP_WITHIN
        while not self._kind.answers():
            assert self.process.poll() is None, f"{self._kind.name} died{self._logs.last_words(self._kind.name)}"
            assert time.monotonic() < until, f"{self._kind.name} does not answer"
            time.sleep(0.1)
        return time.monotonic()

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        return self.running[self.programs[-1].name]

    def stop(self) -> None:
        """Stop as its operator would."""
        self.process.terminate()
        self.process.wait(DOWN_WITHIN)

    def kill(self) -> None:
        """End as a crash would."""
        self.process.kill()
        self.process.wait(DOWN_WITHIN)

    def freeze(self) -> None:
        """Keep its connections open and answer nothing."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> float:
        """Go on; returns the moment (monotonic) at which it answers."""
        os.kill(self.process.pid, signal.SIGCONT)
        return self.start()

    def end(self) -> None:
        """End all its programs, the one that experiments break first."""
        for program in reversed(self.programs):
            process = self.running.get(program.name)
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def control(self, *arguments: str) -> str:
        """Run RabbitMQ's own tool; return its output."""
        program = self.programs[-1]
        tool = Path(program.command[0]).resolve().with_name("rabbitmqctl")
        return subprocess.run(
            [str(tool), *arguments], env=program.environment, capture_output=True, text=True, check=True, timeout=60
        ).stdout
