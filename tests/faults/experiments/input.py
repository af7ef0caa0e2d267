"""The input is abusive: garbage, forged tokens, requests without the right, floods."""

import itertools
import resource
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import orjson
import requests

from services.contracts.errors import Unauthenticated
from tests.faults import abuse
from tests.faults.posts import Posts
from tests.faults.trial import Trial, experiment
from tests.faults.world import children
from tests.rig.forged import LONG, forgeries, signed
from tests.rig.processes import Member, free_port
from tests.rig.rights import Matrix
from tests.rig.wire import Caller

MEGABYTE = 1_000_000
MAY_GROW = 15.0  # megabytes, of one process, beyond what the first round took
PROBLEM = "application/problem+json"
GONE = "gone"  # the server hung up
CAPACITY = 3_000  # connections of a worker
FROM_ONE = 400  # connections from one address, fewer than it may have
ARRIVES_WITHIN = 10.0  # seconds, as the gateway has it by default
HALF_A_BODY = b"POST /v1/sessions HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{"
HALF_A_HEAD = b"POST /v1/feedback HTTP/1.1\r\nHost: h\r\n"
HUNG_UP = (requests.ConnectionError, ConnectionError)
LONGEST_HEADER = 100_000  # characters that the bus carries
HEADERS = (5, True, ["x"], {"sub": "x"}, "", "Bearer x")


@contextmanager
def _sound(trial: Trial) -> Iterator[None]:
    """Expect that no process dies meanwhile, workers included."""
    names = (*trial.world.platform.SERVICES, "gateway")
    before = {name: children(trial.world.processes.pids()[name]) for name in names}
    yield
    after = {name: children(trial.world.processes.pids()[name]) for name in names}
    trial.expect(after == before, f"processes changed: {before} {after}")
    trial.expect(not trial.world.processes.deaths, f"deaths: {trial.world.processes.deaths}")


def _send(url: str, bearer: str, request: abuse.Request) -> tuple[int | str, str]:
    body = request.body() if callable(request.body) else request.body
    headers = {"Authorization": f"Bearer {bearer}"} | request.headers
    try:
        answer = requests.request(request.method, url + request.path, data=body, headers=headers, timeout=10)
    except HUNG_UP:
        return GONE, PROBLEM
    return answer.status_code, answer.headers.get("Content-Type", "")


def _say(port: int, sent: bytes) -> tuple[int | str, str]:
    """Send octets and nothing more; return the answer."""
    received = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65_536):
                received += part
    except ConnectionError:
        pass
    head = received.partition(b"\r\n\r\n")[0].decode("latin-1")
    if not head:
        return GONE, PROBLEM
    types = [line.partition(": ")[2] for line in head.splitlines() if line.lower().startswith("content-type")]
    return int(head.split()[1]), "".join(types)


def _abuse(trial: Trial, found: Counter[Any]) -> None:
    """One round sends everything once. Each must be refused with a problem document or a hang-up."""
    platform, member = trial.world.platform, trial.world.administrators[1]
    document = requests.get(f"{platform.url}/openapi.json", timeout=10).json()
    bearer = member.tokens["access_token"]
    answers = [
        (f"{each.method} {each.path}: {each.wrong}", _send(platform.url, bearer, each))
        for each in abuse.requests_of(document)
    ]
    strange = abuse.raw(f"127.0.0.1:{platform.port}", bearer)
    answers += [(wrong, _say(platform.port, sent)) for wrong, sent in strange.items()]
    for wrong, (status, kind) in answers:
        found[status] += 1
        refused = status == GONE or (isinstance(status, int) and 400 <= status < 500)
        trial.expect(refused and kind == PROBLEM, f"{wrong}: {status} {kind}")


@contextmanager
def _slow(trial: Trial, count: int, begun: bytes, more: bytes) -> Iterator[None]:
    """Connections, from several addresses, that begin a request, say a little more of it later, and never all."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 4 * CAPACITY), most))
    with ExitStack() as stack:
        held = [
            stack.enter_context(
                socket.create_connection(
                    ("127.0.0.1", trial.world.platform.port),
                    timeout=30,
                    source_address=(f"127.0.0.{2 + number // FROM_ONE}", 0),
                )
            )
            for number in range(count)
        ]
        for connection in held:
            _whisper(connection, begun)
        yield
        for connection in held:
            _whisper(connection, more)
        time.sleep(1)


def _whisper(connection: socket.socket, said: bytes) -> None:
    with suppress(OSError):  # they may have been hung up on
        connection.sendall(said)


class Watch:
    """Open live streams of an administrator, and what each has shown."""

    def __init__(self, trial: Trial, count: int, stack: ExitStack) -> None:
        platform, reader = trial.world.platform, trial.world.administrators[0]
        ask = "GET /v1/notifications/stream HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {}\r\n\r\n"
        self._open = [
            stack.enter_context(socket.create_connection(("127.0.0.1", platform.port), timeout=30))
            for _ in range(count)
        ]
        for each in self._open:
            each.sendall(ask.format(reader.tokens["access_token"]).encode())
        self._shown = [b""] * count

    def all_show(self, words: str) -> bool:
        """True if each stream has shown these words. Raises ConnectionError when a stream was ended."""
        for number, each in enumerate(self._open):
            each.settimeout(0.05)
            with suppress(TimeoutError):
                while words.encode() not in self._shown[number]:
                    if not (more := each.recv(65_536)):
                        raise ConnectionError("a live stream was ended")
                    self._shown[number] += more
        return all(words.encode() in shown for shown in self._shown)


def _crowd(trial: Trial, stack: ExitStack) -> None:
    """Open more connections than a worker has places for. Others are served again when the time of these is over."""
    world, member = trial.world, trial.world.authors[0]
    watch = Watch(trial, 5, stack)
    series, numbers = f"crowd {trial.dice.getrandbits(48):012x}", itertools.count()

    def say() -> str:
        words = f"{series}-{next(numbers)}"
        effects = world.effects(words)
        trial.ledger.attempt(effects)
        member.at(world.platform.url).post("/v1/feedback", {"text": words})  # over a new connection
        trial.ledger.acknowledge(effects)
        return words

    with _slow(trial, trial.size("slow_bodies", CAPACITY + 300, 2 * CAPACITY), HALF_A_BODY, b"x"):
        began = time.monotonic()
        words = trial.until(say, 60, "somebody is served again")
        trial.sizes["served_again_s"] = round(time.monotonic() - began, 1)
        trial.until(lambda: watch.all_show(words), 30, "the live streams from before show it")


@experiment(30, "abusive input")
def abusive(trial: Trial) -> None:
    world, found = trial.world, Counter[Any]()
    names = (*world.platform.SERVICES, "gateway")
    with _sound(trial):
        slow = _slow(trial, trial.size("slow_heads", 100, 1_000), HALF_A_HEAD, b"X-More: 1\r\n")
        with Posts(trial, 2, pause=0.05) as load, slow:
            with trial.step("everything once"):
                _abuse(trial, found)
                before = {name: world.resident(name) for name in names}
            with trial.step("and again"):
                for _ in range(trial.size("rounds", 1, 10)):
                    _abuse(trial, found)
        trial.expect(set(load.answers) == {201}, f"posts were answered {dict(load.answers)}")
        grown = {name: round((world.resident(name) - before[name]) / MEGABYTE, 1) for name in names}
        with ExitStack() as stack, trial.step("slow bodies, more than there are places"):
            _crowd(trial, stack)
        trial.expect(trial.sizes["served_again_s"] <= ARRIVES_WITHIN + 5, "they held their places longer")
        trial.sizes |= {"abuse": {str(status): count for status, count in found.items()}, "grown_mb": grown}
        trial.expect(max(grown.values()) <= MAY_GROW, f"memory grew: {grown} MB")
        with Posts(trial, 2, 20, noted="after_"):
            pass
        trial.settle()


@experiment(31, "forged tokens")
def forged(trial: Trial) -> None:
    world, admin = trial.world, trial.world.administrators[0]
    environment = world.processes.environment
    doors: list[tuple[str, str, Any]] = [
        ("GET", "/v1/me", None),
        ("POST", "/v1/feedback", {"text": "forged"}),
        ("PUT", f"/v1/members/{world.authors[0].id}/roles", {"roles": ["administrator"]}),
    ]
    calls: list[tuple[str, dict[str, Any]]] = [
        ("members.accounts.me", {}),
        ("feedback.voices.submit", {"draft": {"text": "forged"}}),
        ("members.accounts.set_roles", {"member_id": world.authors[0].id, "change": {"roles": ["administrator"]}}),
        ("notifications.inbox.unread", {}),
        ("events.calendar.browse", {"query": {}}),
    ]
    tokens = forgeries(environment, admin.id)
    caller = Caller(world.broker.uri)
    refused: Counter[str] = Counter()
    with _sound(trial), Posts(trial, 1, pause=0.05):
        with trial.step("a token as ours are opens the doors"):
            genuine = signed(environment, admin.id)
            trial.expect(_asks(world.platform.url, genuine, *doors[0]) == 200, "our own token is refused")
            trial.expect(caller.call(calls[0][0], genuine)["id"] == admin.id, "our own token is refused on the bus")
        with trial.step("forged ones don't, at the gateway"):
            for wrong, token in tokens.items():
                for door in doors:
                    status = _asks(world.platform.url, token, *door)
                    right = {401, 431, GONE} if wrong == LONG else {401}
                    trial.expect(status in right, f"{door[0]} {door[1]}, {wrong}: {status}")
                    refused["http"] += 1
        with trial.step("nor on the bus"):
            for token in (*(token[:LONGEST_HEADER] for token in tokens.values()), *HEADERS):
                for target, arguments in calls:
                    trial.expect(_refused(caller, target, token, arguments), f"{target} takes {str(token)[:60]!r}")
                    refused["bus"] += 1
    caller.close()
    trial.sizes |= {"forged": len(tokens), "refused": dict(refused)}
    trial.expect(admin.get(f"/v1/members/{world.authors[0].id}")["roles"] == ["coworker"], "roles were changed")
    trial.settle()  # a voice of theirs would be unexpected


def _asks(url: str, token: str, method: str, path: str, body: Any) -> int | str:
    headers = {"Authorization": f"Bearer {token}"}
    try:
        return requests.request(method, url + path, json=body, headers=headers, timeout=10).status_code
    except HUNG_UP:
        return GONE


def _refused(caller: Caller, target: str, token: Any, arguments: dict[str, Any]) -> bool:
    try:
        caller.send(target, orjson.dumps({"args": [], "kwargs": arguments}), {"nameko.token": token})
    except Unauthenticated:
        return True
    except Exception:
        return False
    return False


@experiment(32, "the matrix of rights")
def rights(trial: Trial) -> None:
    with _sound(trial):
        with trial.step("everybody joins"):
            matrix = Matrix(trial.world.platform)
        with trial.step("each role asks for each operation"):
            for number in range(trial.size("rounds", 1, 3)):
                cells = matrix.cells()
                trial.sizes["cells"] = len(cells) * (number + 1)
                for cell in cells:
                    trial.expect(cell.as_declared, str(cell))
        matrix.retire()
        for words in matrix.recipes.said:
            trial.ledger.attempt(trial.world.effects(words))
        trial.settle()


@experiment(33, "one member asks ten times as much as is allowed")
def flood(trial: Trial) -> None:
    world, port = trial.world, free_port()
    allowed = trial.size("allowed_a_minute", 60, 300)
    command, environment = world.standard["gateway"]
    limits = {"PORT": str(port), "RATE_LIMIT": str(allowed), "STOP_NOTICE": "0"}
    world.processes.start("gateway-limiting", *command, **environment | limits)
    world.processes.until("gateway-limiting", "broker connected")
    url, flooder = f"http://127.0.0.1:{port}", world.platform.join("Flooder")
    series = f"flood {trial.dice.getrandbits(48):012x}"

    def post(number: int) -> tuple[int, str | None]:
        return _voice(trial, flooder, url, f"{series}-{number}")

    planned = trial.size("planned", 100, 500)
    with (
        trial.step("one floods"),
        Posts(trial, 5, planned, pause=0.2, urls=(url,)) as load,
        ThreadPoolExecutor(10) as pool,
    ):
        found = list(pool.map(post, range(10 * allowed)))
    answers = Counter(status for status, _ in found)
    trial.sizes |= {"flood": {str(status): count for status, count in answers.items()}}
    trial.sizes["others_p99_ms"] = round(load.slowest * 1000)
    trial.expect(set(answers) == {201, 429}, f"the flood was answered {dict(answers)}")
    trial.expect(0.9 * allowed <= answers[201] <= 2.1 * allowed, f"{answers[201]} were let in, {allowed} are allowed")
    waits = [wait for status, wait in found if status == 429]
    trial.expect(all(wait and wait.isdecimal() and int(wait) >= 1 for wait in waits), "429 without Retry-After")
    trial.expect(set(load.answers) == {201}, f"others were answered {dict(load.answers)}")
    world.processes.end("gateway-limiting")
    trial.settle()


def _voice(trial: Trial, member: Member, url: str, words: str) -> tuple[int, str | None]:
    effects = trial.world.effects(words)
    trial.ledger.attempt(effects)
    headers = {"Authorization": f"Bearer {member.tokens['access_token']}"}
    answer = requests.post(f"{url}/v1/feedback", json={"text": words}, headers=headers, timeout=15)
    if answer.status_code == 201:
        trial.ledger.acknowledge(effects)
    return answer.status_code, answer.headers.get("Retry-After")
