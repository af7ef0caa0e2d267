"""An outage: the broker is stopped while members post. Measures lost posts, dead processes and time to recover."""

import random
import time

from deploy.local import CannotRun
from tests.bench.ground import Ground
from tests.bench.parts import NotMeasured, part
from tests.bench.rows import NONE, Row
from tests.faults.posts import Posts
from tests.faults.trial import Trial
from tests.faults.world import World, world

AWAY = 5.0  # seconds
WARM = 1.0
SETTLED_WITHIN = 90.0
CLIENTS = 8
PROMISED = 5.0  # seconds


@part(
    "outage",
    Row("5 s broker stop: confirmed and lost", "effects", "the promise", at_most=NONE),
    Row("5 s broker stop: processes dead", "processes", "the promise", at_most=NONE),
    Row("5 s broker stop: first good call after its return", "s", "the promise", at_most=1.0),
    slow=True,
)
def outage(ground: Ground, lost: Row, dead: Row, back: Row) -> None:
    """Runs on a broker and a store of its own. Each voice that was answered with 201 is looked for in the inboxes."""
    ground.alone()
    try:
        with world() as made:
            for _ in range(ground.size(1, 1, 3)):
                made.heal()
                trial = Trial(made, False, random.Random(0), lambda _says: None)
                back.add(_stopped(made, trial), PROMISED)
                lost.add(trial.ledger.lost, NONE)
                dead.add(len(made.processes.deaths), NONE)
                if trial.problems:
                    ground.say(f"  {'; '.join(trial.problems)}")
    except CannotRun as missing:
        raise NotMeasured(str(missing)) from missing


def _stopped(made: World, trial: Trial) -> float:
    """Seconds from the moment at which the broker answers again to the first call that is answered well."""
    with Posts(trial, CLIENTS, pause=0.01):
        time.sleep(WARM)
        made.broker.stop()
        time.sleep(AWAY)
        since = made.broker.start()
        trial.until(lambda: made.authors[0].get("/v1/me"), SETTLED_WITHIN, "a call is answered")
        took = time.monotonic() - since
        time.sleep(WARM)
    trial.settle(SETTLED_WITHIN)
    return took
