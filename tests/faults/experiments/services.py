"""Services break: killed, killed between two steps, stopped one after the other, frozen, doubled."""

import signal
import time
from pathlib import Path
from typing import Any

from services.contracts.messages.notifications import NOTIFICATIONS_DELIVERED
from services.ground import clock, identifiers
from services.notifications.people.domain import person
from tests.faults.ledger import Effect
from tests.faults.posts import Posts
from tests.faults.trial import Trial, experiment
from tests.rig.days import times
from tests.rig.processes import free_port
from tests.rig.wire import Listener

RIGGED = ("-m", "tests.faults.rigged")
TAG = "faults"
DELIVERED = NOTIFICATIONS_DELIVERED.key


def rig(trial: Trial, service: str, fault: str, **more: str) -> Path:
    """Run a service with a fault; return the diary of its lives."""
    diary = trial.world.processes.folder / f"{fault}-{trial.dice.getrandbits(32)}.diary"
    settings = {"FAULT": fault, "DIARY": str(diary), "SEED": str(trial.dice.getrandbits(32))} | more
    trial.world.processes.replace(service, *RIGGED, service, **settings)
    trial.world.platform.ready()
    return diary


def kills(trial: Trial, diary: Path, lives: int) -> None:
    """Wait until the process has died as often as planned and has come back."""
    trial.until(lambda: len(diary.read_text().splitlines()) > lives, 90, f"it dies {lives} times and comes back")
    trial.sizes["kills"] = lives


@experiment(1, "notifications killed five times under posts")
def notifications_killed(trial: Trial) -> None:
    posts, clients = trial.size("planned", 400, 10_000), 10 if not trial.full else 50
    with Posts(trial, clients, posts) as load:
        for number in range(5):
            with trial.step(f"kill -9 notifications ({number + 1})"):
                trial.until(
                    lambda share=(number + 0.3) / 5: load.answers.total() >= posts * share or load.finished,
                    300,
                    "the load goes on",
                )
                trial.moment(0.0, 0.5)
                trial.world.processes.kill("notifications")
    trial.sizes["kills"] = 5
    trial.settle(120)


def _seed(trial: Trial, count: int) -> set[str]:
    """Members with the tag, in notifications' copy of the people only."""
    joined_at = clock.now()
    people = trial.world.database("notifications").people
    rows = [person(identifiers.new_id(joined_at), "Seed", ["coworker"], [TAG], joined_at, 1) for _ in range(count)]
    for start in range(0, count, 1000):
        people.insert_many(rows[start : start + 1000])
    return {row["_id"] for row in rows}


def _announce(trial: Trial, **audience: Any) -> str:
    """Publish an event; return its id."""
    organiser = trial.world.administrators[0]
    event = organiser.post("/v1/events", {"title": "Café morning", "audience": audience, **times()})
    organiser.post(f"/v1/events/{event['id']}/publish", status=200)
    return str(event["id"])


@experiment(2, "large announcements, killed between inserting, announcing and moving the cursor")
def announcement_killed(trial: Trial) -> None:
    # A portion is 1,000 members, and each but the first is a step that is saved. Each life ends at one of its first
    # STEPS steps, so there must be steps enough for as many lives.
    count, lives = trial.size("members", 6_000, 20_000), trial.size("lives", 2, 6)
    with trial.step("people join"):
        members = _seed(trial, count)
    listener, told = Listener(trial.world.broker.uri, DELIVERED), dict[str, str]()
    for fault in ("insert-announce", "announce-cursor"):
        with trial.step(fault):
            _announce_and_kill(trial, members, fault, lives, told)
    _heard_of(trial, listener, members, told)
    trial.world.database("notifications").people.delete_many({"tags": TAG})


def _announce_and_kill(trial: Trial, members: set[str], fault: str, lives: int, told: dict[str, str]) -> None:
    """Publish one event for everyone, and one for these members by a line each. `told` maps links to effects."""
    world = trial.world
    readers = [*world.administrators[1:], *world.authors]
    diary = rig(trial, "notifications", fault, LIVES=str(lives), STEPS="3")
    everyone, some = f"{fault}, everyone", f"{fault}, some"
    effects: list[Effect] = [*((each.id, everyone) for each in readers), *((member, some) for member in members)]
    trial.ledger.attempt(effects)
    told[f"/v1/events/{_announce(trial, everyone=True)}"] = everyone
    told[f"/v1/events/{_announce(trial, tags=[TAG])}"] = some
    trial.ledger.acknowledge(effects)
    kills(trial, diary, lives)

    def look() -> list[Effect]:
        rows = world.database("notifications").inbox.find({"link": {"$in": [*told]}}, {"member": True, "link": True})
        read = [(each.id, line["link"]) for each in readers for line in each.get("/v1/notifications")["items"]]
        lines = [*read, *((row["member"], row["link"]) for row in rows)]
        return [(member, told[link]) for member, link in lines if link in told]

    trial.settle(90, look)


def _heard_of(trial: Trial, listener: Listener, members: set[str], told: dict[str, str]) -> None:
    """Expect that the bus has told of each line at least once."""
    count = -1
    while count < len(listener.heard):
        count = len(listener.heard)
        listener.drain(0.5)
    listener.close()
    said = [each["data"] for each in listener.heard]
    for link, what in told.items():
        about = [each for each in said if each["link"] == link]
        named = {id for each in about for id in each["member_ids"]}
        missing = not any(each["everyone"] for each in about) if "everyone" in what else len(members - named)
        trial.expect(not missing, f"the bus did not tell of all: {what}")


def _killed_between(trial: Trial, fault: str) -> None:
    lives = trial.size("lives", 2, 20)
    diary = rig(trial, "feedback", fault, LIVES=str(lives), STEPS="20")
    with Posts(trial, 8, pause=0.01):
        kills(trial, diary, lives)
        time.sleep(0.5)
    trial.settle(60)


@experiment(3, "the relay killed between publish and pull")
def relay_killed(trial: Trial) -> None:
    _killed_between(trial, "publish-pull")


@experiment(4, "a service killed between write and relay")
def write_killed(trial: Trial) -> None:
    _killed_between(trial, "write-relay")


@experiment(18, "a consumer frozen", smoke=False)
def consumer_frozen(trial: Trial) -> None:
    seconds = trial.size("frozen_s", 25, 60)
    with Posts(trial, 4, pause=0.05):
        time.sleep(1)
        with trial.step("SIGSTOP notifications"):
            trial.world.processes.signal("notifications", signal.SIGSTOP)
            time.sleep(seconds)
        with trial.step("SIGCONT"):
            trial.world.processes.signal("notifications", signal.SIGCONT)
            since = time.monotonic()
            trial.recovered(since, within=2 * seconds)  # a new voice waits behind the backlog, and the load goes on
    trial.settle(90)


@experiment(21, "rolling SIGTERM under load", smoke=False)
def rolling(trial: Trial) -> None:
    with Posts(trial, trial.size("posters", 4, 8), pause=0.05):
        for name in ("members", "events", "feedback", "notifications", "gateway"):
            with trial.step(f"SIGTERM {name}"):
                before = trial.world.processes.pids()[name]
                trial.moment(0.2, 1.0)
                trial.world.processes.signal(name, signal.SIGTERM)
                trial.until(
                    lambda name=name, before=before: trial.world.processes.pids().get(name, before) != before,
                    40,
                    f"{name} is there again",
                )
                trial.world.platform.ready()
    codes = dict(trial.world.processes.deaths)
    trial.expect(set(codes.values()) == {0}, f"exit codes: {codes}")
    trial.settle(60)


@experiment(22, "two of everything", smoke=False)
def doubled(trial: Trial) -> None:
    world, port = trial.world, free_port()
    with trial.step("start the second of each"):
        for name, (command, environment) in world.standard.items():
            more = {"PORT": str(port)} if name == "gateway" else {}
            world.processes.start(f"{name}-2", *command, **environment | more)
        other = f"http://127.0.0.1:{port}"
        for name in world.platform.SERVICES:
            world.processes.until(f"{name}-2", "serving")
        world.processes.until("gateway-2", "broker connected")
    with Posts(trial, 8, trial.size("planned", 600, 5_000), urls=(world.platform.url, other)):
        for name in ("notifications", "feedback-2", "notifications-2"):
            with trial.step(f"kill -9 {name}"):
                trial.moment(0.3, 1.0)
                world.processes.kill(name)
    trial.settle(90)
