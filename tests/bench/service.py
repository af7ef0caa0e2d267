"""`python -m tests.bench.service`: a service on the real chassis that does nothing but answer and hear."""

import sys
import time
from typing import Any

from services.chassis import runner
from services.chassis.messaging import Envelope, on
from services.chassis.rpc import answers
from tests.bench.words import BENCH_SAID, ECHO, TELL_TAKEN

assert runner  # imported for its effect, before all that waits


class Echo:
    """Answers what it is asked, and remembers when it heard what."""

    name = "bench.echo"
    heard: dict[str, float] = {}  # noqa: RUF012 - of the process: nameko makes an instance for each message

    @answers(ECHO)
    def echo(self, text: str) -> Any:
        return {"text": text}

    @on(BENCH_SAID, queue="hear")
    def hear(self, message: Envelope, text: str) -> None:
        self.heard[message.id] = time.monotonic()

    @answers(TELL_TAKEN)
    def taken(self) -> Any:
        """Return the start of the handler in monotonic seconds, by message id, for messages since the last call."""
        taken, Echo.heard = Echo.heard, {}
        return taken


if __name__ == "__main__":
    runner.serve("bench", [Echo], sys.argv[1:])
