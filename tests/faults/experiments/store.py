"""The store breaks: killed and frozen while it is written to. The brake keeps messages out of the dead queue."""

import time

from tests.faults.posts import Posts
from tests.faults.trial import Trial, experiment

BRAKED = "braking"


def _braked(trial: Trial, before: int) -> None:
    """Note how often handlers stopped taking work instead of failing it, as the log says."""
    times = trial.world.processes.log("notifications").count(BRAKED) - before
    trial.sizes["brakes"] = times


@experiment(10, "the store killed under writes")
def killed(trial: Trial) -> None:
    before = trial.world.processes.log("notifications").count(BRAKED)
    with Posts(trial, 8, pause=0.01):
        for number in range(trial.size("kills", 1, 4)):
            trial.moment(0.5, 2.0)
            with trial.step(f"kill -9 the store ({number + 1})"):
                trial.world.store.kill()
                trial.moment(1.0, 8.0 if trial.full else 3.0)
            with trial.step("start it"):
                trial.recovered(trial.world.store.start())
    _braked(trial, before)
    trial.settle(90)


@experiment(11, "the store frozen", smoke=False)
def frozen(trial: Trial) -> None:
    before, seconds = trial.world.processes.log("notifications").count(BRAKED), trial.size("frozen_s", 8, 30)
    with Posts(trial, 8, pause=0.01):
        time.sleep(1)
        with trial.step("SIGSTOP the store"):
            trial.world.store.freeze()
            time.sleep(seconds)
        with trial.step("SIGCONT"):
            trial.recovered(trial.world.store.thaw())
    _braked(trial, before)
    trial.settle(90)
