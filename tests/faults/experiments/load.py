"""Too much, too slow, too long: bursts, slow consumers, a partner that stops reading, a soak."""

import time

import amqp

from tests.faults.experiments.services import rig
from tests.faults.posts import Posts
from tests.faults.trial import Trial, experiment

MEGABYTE = 1_000_000
TAKEN_WITHIN = 2.0  # seconds, for 99 of 100 posts
PARTNER = "ext.lazy"
PARTNERS_MAY_HAVE = 100_000  # messages: the committed policy of partners' queues


def _in_time(trial: Trial, load: Posts, noted: str) -> None:
    trial.sizes[f"{noted}p99_ms"] = round(load.slowest * 1000)
    trial.expect(load.slowest < TAKEN_WITHIN, f"99 of 100 posts took up to {load.slowest:.1f} s ({noted or 'load'})")


@experiment(17, "a slow consumer and a tenfold burst", smoke=False)
def burst(trial: Trial) -> None:
    calm, seconds = trial.size("calm_per_s", 10, 20), trial.size("each_s", 4, 15)
    with trial.step("notifications becomes slow"):
        rig(trial, "notifications", "slow", SECONDS="0.05", WORKERS="2")
    with trial.step("calm"), Posts(trial, 2, pause=2 / calm, noted="calm_") as load:
        time.sleep(seconds)
    _in_time(trial, load, "calm_")
    with trial.step("tenfold"), Posts(trial, 20, pause=2 / calm, noted="burst_") as load:
        time.sleep(seconds)
    _in_time(trial, load, "burst_")
    trial.settle(240)


@experiment(25, "a partner stops reading")
def partner(trial: Trial) -> None:
    world, small = trial.world, None if trial.full else 1_000
    bound = trial.size("bound", 1_000, PARTNERS_MAY_HAVE)
    with trial.step("a partner's queue, bound to everything"), world.channel() as channel:
        channel.queue_declare(PARTNER, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"})
        channel.queue_bind(PARTNER, "community", "#")
        if small:
            policy = f'{{"overflow": "drop-head", "max-length": {small}}}'
            world.broker.control(
                "set_policy", "small", f"^{PARTNER}$", policy, "--priority", "9", "--apply-to", "queues"
            )
    try:
        with (
            trial.step("more than the queue may hold, under load"),
            Posts(trial, 4, trial.size("planned", 200, 2_000)) as load,
            world.channel() as channel,
        ):
            for number in range(bound + bound // 5):
                message = amqp.Message(b'{"number": %d}' % number, delivery_mode=2)
                channel.basic_publish(message, "community", "partners.only")  # too many to wait for each
        _in_time(trial, load, "")
        trial.settle(90)
        depth = trial.until(lambda: _within(trial, bound), 30, f"the queue has at most {bound} messages")
        trial.sizes["kept_for_partner"] = depth
        trial.expect(depth >= bound * 0.9, f"the partner's queue holds {depth} only")
    finally:
        with world.channel() as channel:
            channel.queue_delete(PARTNER)
        if small:
            world.broker.control("clear_policy", "small")


def _within(trial: Trial, bound: int) -> int | None:
    depth = trial.world.depths()[PARTNER]
    return depth if depth <= bound else None


@experiment(29, "a soak", smoke=False)
def soak(trial: Trial) -> None:
    seconds, world = trial.size("soak_s", 15, 60), trial.world
    names = (*world.platform.SERVICES, "gateway")
    with trial.step("warm up"), Posts(trial, 8, noted="warm_"):
        time.sleep(seconds / 2)
    before = {name: world.resident(name) for name in names}
    with trial.step("soak"), Posts(trial, 8) as load:
        time.sleep(seconds)
    grown = {name: round((world.resident(name) - before[name]) / MEGABYTE, 1) for name in names}
    trial.sizes["grown_mb"] = grown
    allowed = {name: max(0.1 * size / MEGABYTE, 5) for name, size in before.items()}
    trial.expect(all(grown[name] <= allowed[name] for name in names), f"memory grew: {grown} MB")
    _in_time(trial, load, "")
    trial.settle(60)
