"""Work falls due while something breaks. Each event ends once, whatever process dies and whatever server is away."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import orjson

from services.chassis import schedule
from services.contracts.messages.events import EVENTS_ENDED
from services.ground import clock
from tests.faults.experiments.services import kills, rig
from tests.faults.ledger import Effect
from tests.faults.trial import Trial, experiment

HEARD = "faults.ends"
SERVICE = "events"
SOON, LASTS = timedelta(minutes=5), timedelta(minutes=1)  # all are published before the first begins
OVER = SOON + LASTS + timedelta(seconds=30)
LEASE = timedelta(minutes=2)  # after which the work of a dead process is free again


class Ends:
    """Events that fall due together, and what came of each: a deed in its history, and a message, sent once or more."""

    def __init__(self, trial: Trial, count: int) -> None:
        self._trial, self._ids, self._messages = trial, set[str](), dict[str, str]()
        host, begins = trial.world.administrators[0], clock.now() + SOON
        said = {"starts_at": begins.isoformat(), "ends_at": (begins + LASTS).isoformat()}
        audience = {"tags": ["nobody"]}
        for number in range(count):
            event = host.post("/v1/events", {"title": f"Event {number}", "audience": audience, **said})
            host.post(f"/v1/events/{event['id']}/publish", status=200)
            self._ids.add(event["id"])
        self.effects: list[Effect] = [(what, id) for id in self._ids for what in ("ended", "told")]
        trial.ledger.attempt(self.effects)
        trial.ledger.acknowledge(self.effects)

    @property
    def ended(self) -> int:
        """The number of these events that have ended."""
        mine = {"_id": {"$in": [*self._ids]}, "status": "ended"}
        return self._trial.world.database(SERVICE).events.count_documents(mine)

    def look(self) -> list[Effect]:
        rows = self._trial.world.database(SERVICE).events.find({"_id": {"$in": [*self._ids]}}, {"history": True})
        found = [("ended", row["_id"]) for row in rows for deed in row["history"] if deed["what"] == "ended"]
        with self._trial.world.channel() as channel:
            while (message := channel.basic_get(HEARD, no_ack=True)) is not None:
                said = orjson.loads(message.body)
                self._messages[said["id"]] = said["data"]["event_id"]
        return [*found, *(("told", event_id) for event_id in self._messages.values())]


@contextmanager
def ends(trial: Trial, smoke: int, full: int) -> Iterator[Ends]:
    """Events that are about to end, while a lasting queue keeps what is told of them; at the end all is settled."""
    with trial.world.channel() as channel:
        channel.queue_declare(HEARD, durable=True, auto_delete=False)
        channel.queue_bind(HEARD, "community", EVENTS_ENDED.key)
    try:
        with trial.step("events are published"):
            made = Ends(trial, trial.size("events", smoke, full))
        yield made
        trial.settle(120, made.look)
        trial.expect(made.ended * 2 == len(made.effects), f"{made.ended} events have ended")
    finally:
        with trial.world.channel() as channel:
            channel.queue_delete(HEARD)
        trial.world.database(SERVICE).events.delete_many({})


def _done(trial: Trial, name: str) -> int:
    """The number of due tasks that a process has done so far."""
    return trial.world.processes.log(name).count("done when due")


def _killed(trial: Trial, fault: str) -> None:
    lives = trial.size("lives", 2, 20)
    with ends(trial, 50, 500):
        diary = rig(trial, SERVICE, fault, LIVES=str(lives), STEPS="10")
        with trial.step(f"the clock moves on; it dies {lives} times"):
            trial.world.move(OVER)
            kills(trial, diary, lives)
        with trial.step("what the dead had taken is free again"):
            trial.world.move(LEASE)


@experiment(35, "killed between taking what is due and doing it")
def taker_killed(trial: Trial) -> None:
    _killed(trial, "take-end")


@experiment(36, "killed between ending an event and telling of it")
def teller_killed(trial: Trial) -> None:
    _killed(trial, "write-relay")


@experiment(37, "two processes find the same work due")
def doubled(trial: Trial) -> None:
    world, both = trial.world, (SERVICE, f"{SERVICE}-2")
    command, environment = world.standard[SERVICE]
    with ends(trial, 50, 500) as made:
        world.processes.start(both[1], *command, **environment)
        world.processes.until(both[1], "serving")
        before = {name: _done(trial, name) for name in both}
        with trial.step("the clock moves on while both are frozen, so that both look at the same moment"):
            for name in both:
                world.processes.signal(name, signal.SIGSTOP)
            world.move(OVER)
            time.sleep(schedule.LOOK_EVERY)
            for name in both:
                world.processes.signal(name, signal.SIGCONT)
        trial.until(lambda: made.ended == trial.sizes["events"], 60, "all have ended")
        trial.sizes["by"] = {name: _done(trial, name) - before[name] for name in both}
        trial.expect(all(trial.sizes["by"].values()), "one of the two has done nothing")


@experiment(38, "work falls due while the broker is away")
def without_broker(trial: Trial) -> None:
    with ends(trial, 50, 500) as made:
        with trial.step("the broker is killed, and the clock moves on"):
            trial.world.broker.kill()
            trial.world.move(OVER)
            time.sleep(trial.size("away_s", 5, 20))
        trial.sizes["ended_meanwhile"] = made.ended
        with trial.step("it is there again"):
            trial.world.broker.start()
        trial.world.platform.ready()


@experiment(39, "work falls due while the store is away")
def without_store(trial: Trial) -> None:
    away = trial.size("away_s", 3, 10)
    with ends(trial, 50, 500) as made:
        for number in range(trial.size("kills", 2, 5)):
            with trial.step(f"the store is killed while events end ({number + 1})"):
                if number:
                    trial.moment(0.0, 0.3)
                trial.world.store.kill()
                trial.world.move(OVER if not number else LEASE)
                time.sleep(away)
            with trial.step("it is there again"):
                trial.world.store.start()
                trial.until(lambda: made.ended, 60, "an event ends")
        trial.world.move(LEASE)
