"""The broker breaks: stopped, killed, frozen, out of memory, out of reach, with a queue that is another."""

import time

from services.chassis.bus import QUORUM
from tests.faults.posts import Posts
from tests.faults.swallow import Swallowing
from tests.faults.trial import Trial, experiment

WARM = 1.0  # seconds under load before something breaks


def _alive(trial: Trial) -> None:
    """Expect that no process of ours has died because of the broker."""
    trial.expect(not trial.world.processes.deaths, f"deaths: {trial.world.processes.deaths}")


@experiment(5, "the broker stopped for a while under load", smoke=False)
def stopped(trial: Trial) -> None:
    seconds = trial.size("stopped_s", 5, 20)
    with Posts(trial, 8, pause=0.01):
        time.sleep(WARM)
        with trial.step("stop the broker"):
            trial.world.broker.stop()
            time.sleep(seconds)
        with trial.step("start it"):
            trial.recovered(trial.world.broker.start())
    _alive(trial)
    trial.settle(90)


@experiment(6, "the broker killed under load")
def killed(trial: Trial) -> None:
    with Posts(trial, 8, pause=0.01):
        for number in range(trial.size("kills", 1, 3)):
            trial.moment(WARM, 2 * WARM)
            with trial.step(f"kill -9 the broker ({number + 1}) and start it"):
                trial.world.broker.kill()
                trial.recovered(trial.world.broker.start())
    _alive(trial)
    trial.settle(90)


@experiment(7, "the broker stopped with calls in flight", smoke=False)
def stopped_with_calls(trial: Trial) -> None:
    with Posts(trial, trial.size("callers", 20, 50)) as load:
        for number in range(trial.size("stops", 1, 3)):
            before = len(load.took)
            trial.until(lambda before=before: len(load.took) > before + 50, 60, "calls are answered")
            with trial.step(f"stop the broker ({number + 1}) and start it at once"):
                trial.moment(0.0, 0.2)
                trial.world.broker.stop()
                trial.recovered(trial.world.broker.start())
    _alive(trial)
    trial.settle(120)


@experiment(8, "the broker frozen", smoke=False)
def frozen(trial: Trial) -> None:
    seconds = trial.size("frozen_s", 10, 30)
    with Posts(trial, 8, pause=0.01):
        time.sleep(WARM)
        with trial.step("SIGSTOP the broker"):
            trial.world.broker.freeze()
            time.sleep(seconds)
        with trial.step("SIGCONT"):
            trial.recovered(trial.world.broker.thaw())
    _alive(trial)
    trial.settle(90)


@experiment(9, "a memory alarm of the broker", smoke=False)
def alarmed(trial: Trial) -> None:
    seconds, broker = trial.size("alarm_s", 5, 20), trial.world.broker
    with Posts(trial, 8, pause=0.01):
        time.sleep(WARM)
        with trial.step("no memory is left for publishers"):
            broker.control("set_vm_memory_high_watermark", "0")
            time.sleep(seconds)
        with trial.step("there is memory again"):
            broker.control("set_vm_memory_high_watermark", "0.4")
            trial.recovered(time.monotonic())
    _alive(trial)
    trial.settle(90)


@experiment(23, "a queue whose arguments drifted")
def drifted(trial: Trial) -> None:
    world, queue = trial.world, "notifications.fanout.tell_of_a_cancellation"
    command, environment = world.standard["notifications"]
    with trial.step("the queue of a handler is replaced by a classic one"):
        world.processes.end("notifications")
        with world.channel() as channel:
            channel.queue_delete(queue)
            channel.queue_declare(queue, durable=True, auto_delete=False)
    with trial.step("a new process refuses to serve"), Posts(trial, 4, 40):
        process = super(type(world.processes), world.processes).start("drifted", *command, **environment)
        code = process.wait(30)
        said = "can't be changed" in world.processes.log("drifted")
        trial.expect(code not in (0, -9) and said, f"exit {code}, {'with' if said else 'without'} a sentence")
        trial.sizes["exit"] = code
    with trial.step("the queue is made good, and what waited is handled"):
        with world.channel() as channel:
            channel.queue_delete(queue)
            channel.queue_declare(queue, durable=True, auto_delete=False, arguments=QUORUM)
        world.processes.start("notifications", *command, **environment)
        world.platform.ready()
    trial.settle(60)


@experiment(28, "a half-open network between services and broker", smoke=False)
def half_open(trial: Trial) -> None:
    world, seconds = trial.world, trial.size("swallowed_s", 12, 45)
    with Swallowing(world.broker.uri) as network:
        with trial.step("feedback and notifications reach the broker through a proxy"):
            for name in ("feedback", "notifications"):
                command, environment = world.standard[name]
                world.processes.replace(name, *command, **environment | {"AMQP_URI": network.uri})
            world.platform.ready()
        with Posts(trial, 8, pause=0.01):
            time.sleep(WARM)
            with trial.step("the proxy swallows"):
                network.swallowing = True
                time.sleep(seconds)
            with trial.step("the proxy passes again"):
                network.heal()
                trial.recovered(time.monotonic())
        _alive(trial)
        trial.settle(90)
        for name in ("feedback", "notifications"):
            command, environment = world.standard[name]
            world.processes.replace(name, *command, **environment)
