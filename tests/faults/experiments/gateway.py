"""The servers behind the gateway break, and clients repeat their requests again and again."""

import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.faults.posts import Posts
from tests.faults.trial import Trial, experiment
from tests.faults.world import children
from tests.rig.processes import free_port

OPENS_WITHIN = 10.0  # seconds
ANSWERS_WITHIN = 0.05  # seconds, once it is open
HUNG = "events"
ADDRESS = "/v1/events"


@contextmanager
def _hung(trial: Trial) -> Iterator[None]:
    """A service that takes calls and answers none."""
    trial.world.processes.signal(HUNG, signal.SIGSTOP)
    try:
        yield
    finally:
        trial.world.processes.signal(HUNG, signal.SIGCONT)


@experiment(19, "a dependency hangs: the breaker")
def breaker(trial: Trial) -> None:
    world, url = trial.world, trial.world.platform.url
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {world.authors[0].tokens['access_token']}"

    def ask(_: object = None, path: str = ADDRESS) -> tuple[requests.Response, float]:
        began = time.monotonic()
        answer = session.get(url + path, timeout=10)
        return answer, time.monotonic() - began

    def rests(found: tuple[requests.Response, float]) -> bool:
        return found[0].status_code == 503 and found[0].json()["code"] == "resting"

    with Posts(trial, 2, pause=0.05) as load, _hung(trial):
        with trial.step("events hangs; it is asked by 10 at a time"), ThreadPoolExecutor(10) as pool:
            began = time.monotonic()
            trial.until(lambda: any(map(rests, pool.map(ask, range(10)))), 30, "the breaker opens")
            trial.sizes["opened_s"] = round(time.monotonic() - began, 1)
        with trial.step("it is asked on"):
            both = [(ask(), ask(path="/livez")[1]) for _ in range(trial.size("asked", 200, 1_000))]
            found, idle = [each for each, _ in both], sorted(took for _, took in both)
            resting = sorted(took for answer, took in found if rests((answer, took)))
            trial.expect(all(answer.status_code == 503 for answer, _ in found), "something else than 503")
            trial.expect(all(answer.headers.get("Retry-After") for answer, _ in found), "no Retry-After")
            trial.sizes["resting"] = len(resting)
            for name, times in (("resting_ms", resting), ("livez_ms", idle)):
                trial.sizes[name] = {f"p{share}": round(_within(times, share) * 1000, 1) for share in (50, 99)}
            # On a machine that is busy with something else, no slower than three times an answer that costs nothing.
            allowed = max(ANSWERS_WITHIN, 3 * _within(idle, 99))
            trial.expect(_within(resting, 99) < allowed, "an open breaker answers slowly")
        with trial.step("others answer meanwhile"):
            others = sorted(took for answer, took in (ask(path="/v1/me") for _ in range(50)) if answer.ok)
            trial.expect(len(others) == 50, "other services suffered")
            trial.sizes["others_p50_ms"] = round(others[25] * 1000, 1)
    trial.expect(set(load.answers) == {201}, f"posts were answered {dict(load.answers)}")
    trial.expect(trial.sizes["opened_s"] <= OPENS_WITHIN, "the breaker opened late")
    with trial.step("events goes on"):
        began = time.monotonic()
        trial.until(lambda: ask()[0].ok, 35, "the breaker closes")
        trial.sizes["closed_s"] = round(time.monotonic() - began, 1)
    trial.settle()


def _within(times: list[float], share: int) -> float:
    """The time that `share` percent of these sorted times stay below."""
    return times[int(len(times) * share / 100)]


@experiment(20, "2,000 calls time out")
def timeouts(trial: Trial) -> None:
    world, port = trial.world, free_port()
    command, environment = world.standard["gateway"]
    patient = {"PORT": str(port), "RPC_TIMEOUT": "0.2", "BREAKER_MISSES": "1000000", "STOP_NOTICE": "0"}
    world.processes.start("gateway-patient", *command, **environment | patient)
    world.processes.until("gateway-patient", "broker connected")
    url = f"http://127.0.0.1:{port}"
    bearer = {"Authorization": f"Bearer {world.authors[0].tokens['access_token']}"}

    def ask(_: object) -> int:
        return requests.get(url + ADDRESS, headers=bearer, timeout=10).status_code

    def held() -> dict[str, float]:
        (worker,) = children(world.processes.pids()["gateway-patient"])
        channels = world.broker.control("list_connections", "-q", "--no-table-headers", "channels")
        return {
            "handles": len(list(Path(f"/proc/{worker}/fd").iterdir())),
            "channels": sum(map(int, channels.split())),
            "memory_mb": round(world.resident("gateway-patient") / 1_000_000, 1),
        }

    with _hung(trial), ThreadPoolExecutor(20) as pool:
        with trial.step("warm up with 200"):
            answers = Counter(pool.map(ask, range(200)))
            time.sleep(1)
            before = held()
        with trial.step("time out"):
            answers += Counter(pool.map(ask, range(trial.size("timed_out", 400, 2_000))))
            time.sleep(1)
            after = held()
    trial.sizes |= {"before": before, "after": after, "timed_out_answers": dict(answers)}
    trial.expect(set(answers) == {503}, f"answers {dict(answers)}")
    trial.expect(after["channels"] <= before["channels"], "channels grew")
    trial.expect(after["handles"] <= before["handles"] + 5, "handles grew")
    trial.expect(after["memory_mb"] <= before["memory_mb"] + 5, "memory grew")
    world.processes.end("gateway-patient")
    with trial.step("the service goes on, with calls that nobody waits for"):
        trial.until(lambda: world.authors[0].get(ADDRESS) is not None, 35, "events answers")
    with Posts(trial, 2, 20):
        pass
    trial.settle()


@experiment(27, "one Idempotency-Key a hundred times")
def one_key(trial: Trial) -> None:
    world = trial.world
    url, ids = f"{world.platform.url}/v1/feedback", set()
    answers: Counter[int] = Counter()
    for number in range(trial.size("keys", 5, 50)):
        author = world.authors[number % len(world.authors)]
        key, words = f"{trial.dice.getrandbits(64):x}", f"once {trial.dice.getrandbits(48):012x}"
        headers = {"Authorization": f"Bearer {author.tokens['access_token']}", "Idempotency-Key": key}

        def post(_: object, words: str = words, headers: dict[str, str] = headers) -> requests.Response:
            return requests.post(url, json={"text": words}, headers=headers, timeout=15)

        trial.ledger.attempt(world.effects(words))
        with ThreadPoolExecutor(10) as pool:
            found = list(pool.map(post, range(trial.size("times", 100, 100))))
        answers.update(answer.status_code for answer in found)
        made = {answer.json()["id"] for answer in found if answer.status_code == 201}
        trial.expect(len(made) == 1, f"one key made {len(made)} voices")
        ids |= made
        trial.ledger.acknowledge(world.effects(words))
        other = post(None, words="something else")
        trial.expect(other.status_code == 422, f"another body under the same key: {other.status_code}")
    trial.sizes["answers"] = {str(status): count for status, count in sorted(answers.items())}
    trial.expect(set(answers) <= {201, 409}, f"answers {dict(answers)}")
    stored = world.database("feedback").voices.count_documents({})
    trial.expect(stored == len(ids), f"{stored} voices instead of {len(ids)}")
    trial.settle()
