"""`python -m tests.faults.rigged SERVICE`: the real service, with one fault between two named steps.

`FAULT` is `take-end`, `write-relay`, `publish-pull`, `insert-announce` or `announce-cursor` (dies there as `kill -9`
would), `bug` (in what is told) or `slow` (each write to inboxes takes `SECONDS` longer). One that dies does so `LIVES`
times, each time at a step drawn from `SEED` among its first `STEPS`; the file `DIARY` counts the lives.
"""

import os
import random
import runpy
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.chassis import runner

assert runner  # imported for its effect, before all else of ours: from here on everything is cooperative


def _dying(step: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a step: the process dies before the step whose number was drawn for this life."""
    diary = Path(os.environ["DIARY"])
    with diary.open("a") as pages:
        pages.write("born\n")
    life = len(diary.read_text().splitlines())
    left = random.Random(f"{os.environ['SEED']}/{life}").randint(1, int(os.environ["STEPS"]))
    if life > int(os.environ["LIVES"]):
        return step

    def dying(*args: Any, **kwargs: Any) -> Any:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return step(*args, **kwargs)

    return dying


def _rig(fault: str) -> None:
    from services.chassis import announcer, outbox, schedule
    from services.notifications.fanout import domain
    from services.notifications.fanout import service as fanout
    from services.notifications.fanout.store import JobStore
    from services.notifications.inbox.store import InboxStore

    between: dict[str, tuple[Any, str]] = {
        "take-end": (schedule.Due, "arguments"),
        "write-relay": (outbox.Relay, "kick"),
        "publish-pull": (outbox, "_forget"),
        "insert-announce": (announcer.Announcer, "post"),
        "announce-cursor": (JobStore, "step"),
    }
    if fault == "announce-cursor":
        fanout.SAVED_EVERY = 0.0  # so that there are as many steps as portions
    if fault in between:
        place, name = between[fault]
        setattr(place, name, _dying(getattr(place, name)))
    elif fault == "bug":
        domain.facts = _buggy
    elif fault == "slow":
        put, seconds = InboxStore.put, float(os.environ["SECONDS"])

        def slow(store: Any, lines: list[dict[str, Any]], **how: Any) -> None:
            time.sleep(seconds)
            put(store, lines, **how)

        InboxStore.put = slow
    else:
        sys.exit(f"FAULT is not {fault!r}.")


def _buggy(*_facts: object) -> dict[str, object]:
    raise RuntimeError("a bug in the telling")


if __name__ == "__main__":
    service = sys.argv[1]
    _rig(os.environ["FAULT"])
    sys.argv = [service]
    runpy.run_module(f"services.{service}", run_name="__main__")
