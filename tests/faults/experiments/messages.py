"""Messages break the rules: repeated, reversed, poisonous, garbage, parked, of another version."""

import itertools
import subprocess
import sys
import time
import uuid
from collections import Counter
from datetime import datetime
from typing import Any

import bson
import orjson

from deploy.local.platform import ROOT
from services.chassis.bus.topology import delay_name
from services.contracts.errors import Refusal
from services.contracts.messages.feedback import FEEDBACK_SUBMITTED
from tests.faults.experiments.services import rig
from tests.faults.ledger import Effect
from tests.faults.posts import Posts
from tests.faults.trial import Trial, event, experiment
from tests.rig.days import times
from tests.rig.wire import Caller, Listener

LINES = ("inbox", "broadcasts")
COPIES = {"notifications": ("people", *LINES, "jobs", "told")}
PROBE = "feedback.probe"
SUBMITTED = FEEDBACK_SUBMITTED.key


def _snapshot(trial: Trial) -> dict[str, list[bytes]]:
    """All rows that messages have made, byte for byte."""
    return {
        name: [bson.encode(row) for row in trial.world.database(service)[name].find().sort("_id", 1)]
        for service, names in COPIES.items()
        for name in names
    }


def _voice(words: str, **more: Any) -> bytes:
    """A voice as feedback would announce it."""
    subject = str(uuid.uuid4())
    data = FEEDBACK_SUBMITTED.example | {"voice_id": subject, "text": words}
    return event(SUBMITTED, data, **{"id": str(uuid.uuid4()), "subject": subject} | more)


def _live(trial: Trial) -> None:
    """Members live: voices that are answered and moved, profiles that change, an event and its end."""
    world, staff = trial.world, trial.world.administrators[0]
    for number in range(trial.size("voices", 5, 50)):
        author, words = world.authors[number % len(world.authors)], f"life {trial.dice.getrandbits(48):012x}"
        trial.ledger.attempt(world.effects(words))
        voice = author.post("/v1/feedback", {"text": words})
        trial.ledger.acknowledge(world.effects(words))
        staff.post(f"/v1/feedback/{voice['id']}/answers", {"text": "We look."})
        staff.ask("PUT", f"/v1/feedback/{voice['id']}/status", json={"status": "done"})
        author.ask("PATCH", "/v1/me", json={"tags_want": [f"life {number}"]})
    made = staff.post("/v1/events", {"title": "Café morning", "audience": {"everyone": True}, **times()})
    staff.post(f"/v1/events/{made['id']}/publish", status=200)
    staff.post(f"/v1/events/{made['id']}/cancel", {"reason": "The trainer is ill."}, status=200)


def _recorded(trial: Trial) -> list[tuple[str, bytes]]:
    """Type and body of every message that a bit of life announced, once all have had their effect."""
    listener = Listener(trial.world.broker.uri)
    try:
        _live(trial)
        trial.settle()
        count = -1
        while count < len(listener.heard):
            count = len(listener.heard)
            listener.drain(0.5)
        said = [(each["type"], raw.body) for each, raw in zip(listener.heard, listener.raw, strict=True)]
    finally:
        listener.close()
    trial.sizes["recorded"] = len(said)
    return [(type, body if isinstance(body, bytes) else body.encode()) for type, body in said]


@experiment(12, "every message delivered three times")
def three_times(trial: Trial) -> None:
    with trial.step("record what happens"):
        recorded = _recorded(trial)
        before = _snapshot(trial)
    trial.sizes["compared_rows"] = sum(map(len, before.values()))
    with trial.step("all of it twice more, shuffled"), trial.world.channel() as channel:
        again = recorded * 2
        trial.dice.shuffle(again)
        for key, body in again:
            trial.publish(channel, body, key)
    with trial.step("fresh voices, three copies in a row"), trial.world.channel() as channel:
        trial.settle()
        trial.expect(_snapshot(trial) == before, "a redelivery changed the store")
        for number in range(trial.size("fresh", 20, 200)):
            words = f"thrice {number} {trial.dice.getrandbits(48):012x}"
            trial.ledger.attempt(trial.world.effects(words))
            trial.ledger.acknowledge(trial.world.effects(words))
            body = _voice(words)
            for _ in range(3):
                trial.publish(channel, body, SUBMITTED)
    trial.settle()


@experiment(13, "messages of one aggregate in reverse order")
def reversed_order(trial: Trial) -> None:
    with trial.step("record what happens"):
        recorded = [(key, body) for key, body in _recorded(trial) if not key.startswith("notifications.")]
        before = _snapshot(trial)
    people = [(key, body) for key, body in recorded if key.startswith("members.")]
    notifications = trial.world.database("notifications")
    with trial.step("forget the people, and hear of them from the last change to the first"):
        heard = {orjson.loads(body)["data"]["member_id"] for _, body in people}
        notifications.people.delete_many({"_id": {"$in": [*heard]}})
        _say_backwards(trial, people)
        trial.settle()
        trial.expect(_snapshot(trial)["people"] == before["people"], "the copy of the people differs")
    with trial.step("forget the inboxes, and hear of the rest from the last to the first"):
        # Only now: an announcement before a person is known may miss them, as tests/README.md says.
        for name in (*LINES, "jobs", "told"):
            notifications[name].delete_many({})
        _say_backwards(trial, [each for each in recorded if each not in people])
    trial.settle()
    # Made anew, a line has another moment; all else of it is compared.
    lines = [
        {(row["_id"], str(row["facts"]), row["link"]) for name in LINES for row in map(bson.decode, rows[name])}
        for rows in (before, _snapshot(trial))
    ]
    trial.expect(lines[0] == lines[1], f"the inboxes hold other lines: {[*lines[0] ^ lines[1]][:4]}")


def _say_backwards(trial: Trial, messages: list[tuple[str, bytes]]) -> None:
    with trial.world.channel() as channel:
        for key, body in reversed(messages):
            trial.publish(channel, body, key)


def _probe(trial: Trial, delays: tuple[int, ...]) -> None:
    processes = trial.world.processes
    processes.start("probe", "-m", "tests.services.chassis.probe", RETRY_DELAYS=",".join(map(str, delays)), WORKERS="4")
    processes.until("probe", "serving")


def _without_probe(trial: Trial, delays: tuple[int, ...]) -> None:
    trial.world.processes.end("probe")
    with trial.world.channel() as channel:
        for queue in (f"{PROBE}.hear", f"{PROBE}.hear_too", f"rpc-{PROBE}"):
            channel.queue_delete(queue)
        for name in {f"retry.{delay_name(seconds)}" for seconds in delays} - set(trial.world.retries):
            channel.queue_delete(name)
    trial.world.database("feedback").effects.delete_many({})


@experiment(14, "poison among good messages")
def poison(trial: Trial) -> None:
    delays: tuple[int, ...] = trial.size("delays_s", (1, 2), (5, 30))
    poisons, goods = trial.size("poison", 5, 20), trial.size("good", 200, 2_000)
    effects = trial.world.database("feedback").effects
    effects.delete_many({})
    _probe(trial, delays)
    queue, ids = f"{PROBE}.hear", [str(uuid.uuid4()) for _ in range(goods)]
    with trial.step("poison, and good messages behind it"), trial.world.channel() as channel:
        for number in range(poisons):
            for words in ("never", "no"):
                body = _voice(words, n=number)
                trial.poison[body] += 1
                trial.publish(channel, body, queue, exchange="")
        sent: list[Effect] = [("hear", id) for id in ids]
        trial.ledger.attempt(sent)
        for id in ids:
            trial.publish(channel, _voice("ok", id=id), queue, exchange="")
        trial.ledger.acknowledge(sent)
        began = time.monotonic()

    def seen() -> list[Effect]:
        return [(row["handler"], row["message"]) for row in effects.find({"handler": "hear"})]

    trial.until(lambda: len(seen()) >= goods, 60, "good messages are handled")
    trial.sizes["good_behind_s"] = round(time.monotonic() - began, 1)
    trial.expect(trial.sizes["good_behind_s"] <= 10, "good messages waited behind poison")
    with trial.step("poison runs out of tries"):
        log = trial.world.processes.log
        trial.until(lambda: log("probe").count('"parked"') >= 2 * poisons, sum(delays) + 30, "it is parked")
    gaps = _gaps(log("probe"))
    for delay, found in zip(delays, gaps, strict=True):
        trial.sizes[f"gaps_after_{delay}s"] = f"{min(found):.1f}-{max(found):.1f}"
        trial.expect(all(abs(gap - delay) <= 0.2 * delay for gap in found), f"gaps of {delay} s: {found}")
    trial.settle(60, seen)
    _without_probe(trial, delays)


def _gaps(log: str) -> list[list[float]]:
    """Seconds between the first and second tries of each message, the second and third, and so on."""
    tries: dict[str, list[datetime]] = {}
    for line in log.splitlines():
        said = orjson.loads(line) if line.startswith("{") else {}
        if said.get("event") in ("retrying", "parked"):
            tries.setdefault(said["message_id"], []).append(datetime.fromisoformat(said["at"]))
    gaps = [[(later - one).total_seconds() for one, later in itertools.pairwise(each)] for each in tries.values()]
    return [list(each) for each in zip(*[each for each in gaps if each], strict=True)]


def _garbage() -> list[tuple[bytes, dict[str, Any]]]:
    """Bodies that no handler can take, each with its properties."""
    json, good = orjson.dumps, orjson.loads(_voice("ok"))
    return [
        (b"", {}),
        (b"{not json", {}),
        (b"\xff\xfe\x00", {"content_type": "image/png"}),
        (b"null", {"content_encoding": "gzip"}),
        (b"[" * 10_000, {}),
        (json({"type": SUBMITTED}), {}),
        (json(good | {"type": "feedback.invented"}), {}),
        (json(good | {"type": [SUBMITTED]}), {}),
        (json(good | {"data": {"voice_id": 5}}), {}),
        (json(good | {"id": {"$gt": ""}}), {"application_headers": {"nameko.call_id_stack": 5}}),
        (json(good | {"time": "yesterday"}), {"application_headers": {"x-hearth-attempt": "many", "x-death": 1}}),
        (b"x" * 5_000_000, {}),
    ]


@experiment(15, "garbage on every queue")
def garbage(trial: Trial) -> None:
    world = trial.world
    calls = [name for name in world.depths() if name.startswith("rpc-")]
    trial.sizes |= {"handlers": len(world.handlers), "rpc_queues": len(calls)}
    with trial.step("on every handler's queue"), world.channel() as channel:
        for queue in world.handlers:
            for body, properties in _garbage():
                trial.poison[body] += 1
                trial.publish(channel, body, queue, exchange="", **properties)
    with trial.step("on every queue of calls"):
        before = sum(world.processes.log(name).count("call without a way back") for name in world.platform.SERVICES)
        refused = _garbage_calls(trial, [name.removeprefix("rpc-") for name in calls])
    with trial.step("and good messages behind it"), Posts(trial, 4, trial.size("planned", 40, 400)):
        pass
    trial.settle(90)
    after = sum(world.processes.log(name).count("call without a way back") for name in world.platform.SERVICES)
    trial.sizes |= {"calls_refused": refused, "calls_dropped_with_a_line": after - before}
    trial.expect(
        after - before == 2 * len(calls), f"{after - before} lines about {2 * len(calls)} calls without reply_to"
    )
    trial.expect(not world.processes.deaths, f"deaths: {world.processes.deaths}")


def _garbage_calls(trial: Trial, capabilities: list[str]) -> int:
    """Send calls that no service can take; return the number of refusals. All calls with a reply queue must get one."""
    refused, caller = 0, Caller(trial.world.broker.uri)
    headers = {"nameko.call_id_stack": 5, "nameko.token": 7, "nameko.deadline": "soon", "nameko.idempotency_key": [1]}
    try:
        for capability in capabilities:
            for body in (
                b"",
                b"{not json",
                b"\xff\xfe",
                b"[]",
                b"null",
                b'{"kwargs": 5}',
                b"[" * 10_000,
                b"x" * 5_000_000,
            ):
                for method in ("browse", "no_such_method"):
                    try:
                        caller.send(f"{capability}.{method}", body, headers, content_type="image/png")
                        trial.expect(False, f"{capability}.{method} took {body[:20]!r}")
                    except TimeoutError:
                        trial.expect(False, f"{capability}.{method} never answered {body[:20]!r}")
                    except Refusal:
                        refused += 1
            for method in ("browse", "ping"):
                trial.publish(caller.channel, b"{}", f"{capability}.{method}", "nameko-rpc")
    finally:
        caller.close()
    return refused


@experiment(16, "replay of dead letters after a fix")
def replay(trial: Trial) -> None:
    world, letters = trial.world, trial.size("letters", 100, 100)
    with trial.step("notifications has a bug"):
        rig(trial, "notifications", "bug", RETRY_DELAYS="1")
    bystander = Listener(world.broker.uri, "feedback.#")
    with trial.step("voices come"), Posts(trial, 4, letters):
        pass
    with trial.step("and die"), world.channel() as channel:
        trial.until(
            lambda: channel.queue_declare("dead", passive=True).message_count == letters, 60, "all letters are dead"
        )
        heard = Counter(each["id"] for each in bystander.wait(letters))
    with trial.step("fix, and replay"):
        command, environment = world.standard["notifications"]
        world.processes.replace("notifications", *command, **environment)
        world.platform.ready()
        done = subprocess.run(
            [sys.executable, "-m", "deploy.hub", "dead", "replay", "--all"],
            cwd=ROOT,
            env=world.processes.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        trial.expect(done.returncode == 0, f"hub dead replay: {done.stdout}{done.stderr}")
    trial.settle(60)
    again = Counter(each["id"] for each in bystander.drain(1.0))
    trial.expect(again == heard, "another subscriber heard something of the replay")
    bystander.close()


@experiment(24, "old and new versions of a message side by side")
def versions(trial: Trial) -> None:
    count, queue = trial.size("messages", 50, 500), "notifications.fanout.tell_the_administrators"
    newer = Listener(trial.world.broker.uri, f"{SUBMITTED}.v2")
    with trial.step("old ones, newer ones with more fields, and a version two"), trial.world.channel() as channel:
        for number in range(count):
            words = f"version {number} {trial.dice.getrandbits(48):012x}"
            made = orjson.loads(_voice(words))
            if number % 2:
                made["data"] |= {"a_field_of_tomorrow": {"deep": [1]}, "mood": None}
                made |= {"extension": "x", "specversion": "1.0"}
            trial.ledger.attempt(trial.world.effects(words))
            trial.ledger.acknowledge(trial.world.effects(words))
            trial.publish(channel, orjson.dumps(made), SUBMITTED)
            second = orjson.dumps(made | {"type": f"{SUBMITTED}.v2", "data": {"words": words}})
            trial.publish(channel, second, f"{SUBMITTED}.v2")
            if number % 10 == 0:  # a version that somebody sent to the wrong queue is parked, not dropped
                trial.poison[second] += 1
                trial.publish(channel, second, queue, exchange="")
    trial.settle()
    trial.expect(len(newer.wait(count)) == count, "who asked for version two has it")
    newer.close()
