"""A trial: one run of an experiment, from named step to named step, to its result."""

import random
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import amqp
import orjson
import requests

from services.ground import clock
from tests.faults.ledger import Effect, Ledger
from tests.faults.world import World

RECOVERED_WITHIN = 35.0  # seconds after the broker's or the store's return


@dataclass
class Result:
    """The result of an experiment. `problems` are sentences."""

    id: int
    name: str
    ledger: Ledger
    seconds: float
    sizes: dict[str, Any]
    problems: list[str]

    @property
    def passed(self) -> bool:
        return not (self.problems or self.ledger.lost or self.ledger.unexpected or self.ledger.duplicated)

    def as_json(self) -> dict[str, Any]:
        counts = {name: getattr(self.ledger, name) for name in ("lost", "unexpected", "duplicated", "recovered")}
        said = {"problems": self.problems} if self.problems else {}
        head = {"id": self.id, "name": self.name, "passed": self.passed}
        return head | counts | {"seconds": round(self.seconds, 1), "sizes": self.sizes | said}


@dataclass
class Trial:
    """The tools of an experiment: the world, its ledger, its dice, and a place for its figures."""

    world: World
    full: bool
    dice: random.Random
    say: Callable[[str], None]
    ledger: Ledger = field(default_factory=Ledger)
    sizes: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    poison: Counter[bytes] = field(default_factory=Counter)  # bodies that belong into the dead queue

    def size(self, name: str, smoke: Any, full: Any) -> Any:
        """A size of this experiment at the present scale, which is noted."""
        self.sizes[name] = full if self.full else smoke
        return self.sizes[name]

    def expect(self, true: object, says: str) -> None:
        """Note a problem unless this is true."""
        if not true:
            self.problems.append(says)
            self.say(f"  PROBLEM: {says}")

    @contextmanager
    def step(self, says: str) -> Iterator[None]:
        """A named step."""
        self.say(f"  {says}")
        yield

    def until(self, condition: Callable[[], Any], seconds: float, says: str) -> Any:
        """Wait until a condition is true; return its value. An error counts as not true. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while True:
            why: object = None
            try:
                if found := condition():
                    return found
            except (AssertionError, requests.RequestException, OSError, amqp.AMQPError) as error:
                why = error
            if time.monotonic() > deadline:
                raise TimeoutError(f"{says}: not within {seconds:.0f} s {why or ''}")
            time.sleep(0.05)

    def moment(self, least: float, most: float) -> None:
        """Let a time pass that the dice choose."""
        time.sleep(self.dice.uniform(least, most))

    def publish(
        self, channel: amqp.Channel, body: bytes, key: str, exchange: str = "community", **properties: Any
    ) -> None:
        """Put a message on the bus, for sure."""
        kind = {"content_type": "application/cloudevents+json", "delivery_mode": 2}
        channel.basic_publish_confirm(amqp.Message(body, **kind | properties), exchange, key, confirm_timeout=30)

    def recovered(self, since: float, within: float = RECOVERED_WITHIN) -> None:
        """Measure from a moment (monotonic) until a new voice is taken and lies in an inbox, `within` seconds."""
        words = f"recovered {self.dice.getrandbits(48):012x}"
        author, reader = self.world.authors[0], self.world.administrators[0]
        number, asked = 0, clock.now().isoformat()

        def post() -> bool:
            nonlocal number
            number += 1
            effects = self.world.effects(f"{words}-{number}")
            self.ledger.attempt(effects)
            author.post("/v1/feedback", {"text": f"{words}-{number}"})
            self.ledger.acknowledge(effects)
            return True

        def told() -> bool:
            where: dict[str, Any] = {"limit": 100}  # under load a page holds the lines of one second
            while True:
                page = reader.get("/v1/notifications", params=where)
                if any(line["body"] == f"{words}-{number}" for line in page["items"]):
                    return True
                if page["next"] is None or page["items"][-1]["at"] < asked:
                    return False
                where["cursor"] = page["next"]

        self.until(post, 90, "a voice is taken again")
        self.until(told, 150, "a voice reaches an inbox again")
        took = time.monotonic() - since
        self.sizes["recovery_s"] = round(max(took, self.sizes.get("recovery_s", 0.0)), 1)
        self.expect(took <= within, f"recovery took {took:.0f} s")

    def settle(self, within: float = 60, look: Callable[[], Iterable[Effect]] | None = None) -> None:
        """Wait until all that was acknowledged is observed and nothing is left to do; then look once more."""
        there = self.world.lines if look is None else lambda: len(self.ledger.acknowledged)
        look = look or self.world.inboxes
        began = time.monotonic()
        self.say("  settle: effects, queues, outboxes, dead letters")
        try:
            self.until(lambda: self._looked(look, there), within, "what was acknowledged is observed")
        except TimeoutError as error:
            self.problems.append(str(error))
        self.sizes["drained_s"] = round(time.monotonic() - began, 1)
        self._drained(max(within - (time.monotonic() - began), 20))
        self.ledger.observe(look())
        self._audit_dead()
        if crashes := self.world.processes.crashes():
            self.sizes["crashes"] = crashes

    def _looked(self, look: Callable[[], Iterable[Effect]], there: Callable[[], int]) -> bool:
        """True if nothing is lost. The rows are counted first: reading them slows down the work that is awaited."""
        began = time.monotonic()
        if there() < len(self.ledger.acknowledged):
            time.sleep(0.5 + 10 * (time.monotonic() - began))  # the embedded store counts by reading every row
            return False
        self.ledger.observe(look())
        return not self.ledger.lost

    def _left(self) -> dict[str, int]:
        """Messages in queues of the platform, and aggregates with unsent ones."""
        ours = (*self.world.handlers, *self.world.retries)
        left = {name: count for name, count in self.world.depths().items() if count and name.startswith(ours)}
        outboxes = {"feedback": "voices", "notifications": "jobs", "members": "accounts", "events": "events"}
        for service, name in outboxes.items():
            if count := self.world.database(service)[name].count_documents({"unsent": True}):
                left[f"outbox of {name}"] = count
        return left

    def _drained(self, within: float) -> None:
        deadline = time.monotonic() + within
        while (left := self._left()) and time.monotonic() < deadline:
            time.sleep(0.5)
        self.expect(not left, f"not drained: {left}")

    def _audit_dead(self) -> None:
        found: Counter[bytes] = Counter()
        reasons: Counter[str] = Counter()
        with self.world.channel() as channel:
            while (letter := channel.basic_get("dead", no_ack=True)) is not None:
                body = letter.body if isinstance(letter.body, bytes) else letter.body.encode()
                found[body] += 1
                if body not in self.poison:
                    headers = letter.properties.get("application_headers") or {}
                    reasons[f"{headers.get('x-hearth-queue')}: {headers.get('x-hearth-error')}"] += 1
        if self.poison:
            self.sizes["dead_letters"] = found.total()
        self.expect(not found - self.poison, f"unplanned dead letters: {dict(reasons)}")
        missing = self.poison - found
        self.expect(not missing, f"{missing.total()} planned dead letters are missing: {[*missing][:2]!r:.300}")


Experiment = Callable[[Trial], None]
EXPERIMENTS: dict[int, tuple[str, bool, Experiment]] = {}


def experiment(id: int, name: str, *, smoke: bool = True) -> Callable[[Experiment], Experiment]:
    """Declare an experiment; `smoke` is whether it is fast enough for CI."""

    def declare(run: Experiment) -> Experiment:
        assert id not in EXPERIMENTS, f"there are two experiments {id}"
        EXPERIMENTS[id] = (name, smoke, run)
        return run

    return declare


def run(id: int, world: World, *, full: bool, seed: str, say: Callable[[str], None]) -> Result:
    """Run one experiment on a healed world; what goes wrong is in its result."""
    name, _, act = EXPERIMENTS[id]
    say(f"{id}. {name}")
    trial = Trial(world, full, random.Random(f"{seed}/{id}"), say)
    began = time.monotonic()
    try:
        world.heal()
        act(trial)
    except Exception as error:  # the others go on
        trial.expect(False, f"{type(error).__name__}: {error}")
        say(traceback.format_exc())
    return Result(id, name, trial.ledger, time.monotonic() - began, trial.sizes, trial.problems)


def event(type: str, data: dict[str, Any], *, id: str, subject: str, sequence: int = 1, **more: Any) -> bytes:
    """The body of a message as a service would publish it."""
    made = {"specversion": "1.0", "id": id, "source": f"/hearth/{type.partition('.')[0]}", "type": type}
    made |= {"subject": subject, "time": "2026-11-02T09:00:00.000Z", "datacontenttype": "application/json"}
    return orjson.dumps(made | {"sequence": f"{sequence:012d}", "data": data} | more)
