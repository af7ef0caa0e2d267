"""`python -m tests.bench.bare_publish COUNT`: py-amqp alone, a window of 100 confirms. Prints messages per second."""

import os
import sys
import time

import orjson

from services.chassis.outbox import OUTBOX
from services.contracts.messages.feedback import FEEDBACK_SUBMITTED
from tests.bench.bare_store import another, voice
from tests.bench.wire import NOBODY, Confirmed

WINDOW = 100


def main(count: str) -> None:
    """Publish so many voices."""
    pattern = voice(NOBODY, "I need a lamp.")
    bodies = [orjson.dumps(another(pattern)[OUTBOX][0]) for _ in range(int(count))]
    sender = Confirmed(os.environ["AMQP_URI"])
    began = time.monotonic()
    for body in bodies:
        sender.publish(body, FEEDBACK_SUBMITTED.exchange, FEEDBACK_SUBMITTED.key)
        sender.settle(WINDOW - 1)
    sender.settle()
    print(len(bodies) / (time.monotonic() - began))


if __name__ == "__main__":
    main(*sys.argv[1:])
