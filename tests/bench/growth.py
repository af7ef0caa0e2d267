"""The cost of a request, a message and a notification while the hub grows.

One member with the same profile, voices and lines asks the same things of a small hub, of a larger one and of a large
one. What counts is the CPU time of the services and the gateway; it should stay as it is. The store's is shown beside
it: that of the embedded store grows with what a list has to choose from.
"""

import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import requests
from pymongo.collection import Collection

from services.contracts.messages.notifications import NOTIFICATIONS_DELIVERED
from services.events.calendar import domain as calendar
from services.feedback.voices import domain as voices
from services.ground import clock, identifiers
from services.members.accounts import domain as accounts
from services.notifications.inbox.domain import line
from services.notifications.people.domain import person
from tests.bench.ground import Ground, Whole
from tests.bench.parts import part
from tests.bench.rows import Row
from tests.bench.seeds import answered, chunks
from tests.rig.processes import Member
from tests.rig.wire import Listener

MEGABYTE = 1_000_000
CHUNK = 5_000
OWN = 200  # lines and voices of the member who asks, and events to come
TOLD = 1_000  # members who are told of an event
TAG, RARE = "growth", "glassblowing"
LEAST, MOST = 5, 400  # askings of one kind
LONGEST = 2.0  # seconds for them
SETTLE = 2.0  # seconds after a hub has grown
STORE = "store"
ORGANISER = ("host",)
Document = dict[str, Any]

ASKED = {  # the service that answers, and the path
    "GET /v1/me": ("members", "/v1/me"),
    "inbox, first page": ("notifications", "/v1/notifications"),
    "inbox, a later page": ("notifications", "/v1/notifications?cursor={later}"),
    "events, to come": ("events", "/v1/events?starts_after={now}"),
    "members, first page": ("members", "/v1/members"),
    "members with a rare tag": ("members", f"/v1/members?tag={RARE}"),
}
POSTED = "POST /v1/feedback, and a line"
ANNOUNCED = f"{TOLD:,} notifications"


@dataclass(frozen=True)
class Cost:
    """The cost of one request: seconds until the answer, CPU seconds of the platform and of the store."""

    wait: float
    ours: float
    store: float


class Hub:
    """A platform whose store is filled in bulk with what the domains make."""

    def __init__(self, ground: Ground) -> None:
        ground.alone()
        self._ground, self.size = ground, 0
        self._platform: Whole = ground.whole()
        self._store = int(ground.client.admin.command("serverStatus")["pid"])
        member = self._platform.join(roles=ORGANISER, tags_have=[RARE])
        self._member: Member = member
        self._fill("inbox", "notifications", (self._line(member.id, number) for number in range(OWN)))
        self._fill("voices", "feedback", (self._voice(member.id, number) for number in range(OWN)))
        self._fill("events", "events", (self._event(member.id, -number - 1) for number in range(OWN)))
        page = member.get("/v1/notifications?limit=100")
        self._words = {"later": page["next"], "now": f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"}

    def grow(self, size: int) -> None:
        """Grow to `size` lines and voices. Members and events are a tenth; members are at least `TOLD`."""
        people = range(max(TOLD, self.size // 10) if self.size else 0, max(TOLD, size // 10))
        made = [self._account(number) for number in people]
        self._fill("accounts", "members", made)
        self._fill("people", "notifications", map(_person, made))
        ids = [each["_id"] for each in made] or [self._member.id]
        more = range(self.size, size)
        self._fill("inbox", "notifications", (self._line(f"{number % 997:08d}", number) for number in more))
        self._fill("voices", "feedback", (self._voice(ids[number % len(ids)], number) for number in more))
        self._fill("events", "events", (self._event(ids[0], number) for number in range(self.size // 10, size // 10)))
        self.size = size
        changes = self._rows("changes", "notifications")  # the roster of people is read anew
        changes.update_one({"_id": "people"}, {"$inc": {"count": 1}}, upsert=True)

    def _rows(self, collection: str, service: str) -> Collection[Document]:
        return self._ground.database(self._platform.prefix, service)[collection]

    def _fill(self, collection: str, service: str, rows: Iterable[Document]) -> None:
        for chunk in chunks(rows, CHUNK):
            self._rows(collection, service).insert_many(chunk, ordered=False)

    def _account(self, number: int) -> Document:
        at = clock.now() - timedelta(days=400) + timedelta(minutes=number)
        given = {"name": f"Member {number}", "email": f"m{number}@hub.example", "tags_have": [TAG] * (number < TOLD)}
        made = accounts.found(given, "no password", id=identifiers.new_id(at), now=at)
        return made | {"roles": ["coworker"], "version": 1, "sequence": 1}

    def _line(self, member_id: str, number: int) -> Document:
        at = clock.now() - timedelta(minutes=number)
        notice = answered(identifiers.new_id(at), "I need a quiet room for calls.", "We look for one.")
        return line(member_id, identifiers.new_id(at), notice, at)

    def _voice(self, author_id: str, number: int) -> Document:
        at = clock.now() - timedelta(minutes=number)
        draft = {"text": "I need a quiet room for calls.", "kind": "need", "touchpoint": "app", "anonymous": False}
        made = voices.raise_voice(author_id, draft, "", id=identifiers.new_id(at), at=at)
        return made | {"version": 1, "sequence": 1}

    def _event(self, host_id: str, ago: int) -> Document:
        """An event that started so many hours ago; a negative number is in the future."""
        starts = clock.now() - timedelta(hours=ago)
        before, who = starts - timedelta(days=9), {"by": host_id, "roles": frozenset(ORGANISER)}
        made = calendar.draft(_plan(starts), id=identifiers.new_id(before), now=before, **who)
        return calendar.publish(made, now=before, **who) | {"version": 2, "sequence": 1}

    # What it costs.

    def costs(self, seconds: float) -> Iterator[tuple[str, Cost | None]]:
        """Each kind of asking for so long, or as often as counts; None where the store is too slow for an answer."""
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {self._member.tokens['access_token']}"
            session.headers["Accept-Encoding"] = "identity"
            idle = self._idle(seconds)
            for name, (service, path) in ASKED.items():
                url = self._member.url + path.format(**self._words)
                try:
                    yield (
                        name,
                        self._cost(
                            lambda url=url: _answered(session.get(url, timeout=60), 200), seconds, idle, within=service
                        ),
                    )
                except TooSlow:
                    yield name, None
            words = {"text": "I need a lamp.", "kind": "need", "touchpoint": "app"}
            url = f"{self._member.url}/v1/feedback"
            yield (
                POSTED,
                self._cost(lambda: _answered(session.post(url, json=words, timeout=60), 201), seconds, idle, told=1),
            )
            yield ANNOUNCED, self._cost(self._announce, seconds, idle, told=TOLD)

    def _announce(self) -> None:
        plan = _plan(clock.now() + timedelta(days=9))
        times = {name: plan[name].isoformat() for name in ("starts_at", "ends_at")}
        id = self._member.post("/v1/events", plan | times)["id"]
        self._member.post(f"/v1/events/{id}/publish", status=200)

    def _cost(
        self, ask: Callable[[], None], seconds: float, idle: dict[str, float], *, within: str = "", told: int = 0
    ) -> Cost:
        """`told` members hear of each asking; that they did belongs to it. What idling costs does not.

        Ours is what the gateway and the service `within` use, or all of them.
        """
        listener = Listener(self._ground.backend.amqp_uri, NOTIFICATIONS_DELIVERED.key)
        ask(), _until(listener, told)
        waits: list[float] = []
        before, began = self._cpu(), time.perf_counter()
        while len(waits) < LEAST or (time.perf_counter() - began < seconds and len(waits) < MOST):
            asked = time.perf_counter()
            ask()
            if told == TOLD:
                _until(listener, told * (len(waits) + 2))
            waits.append(time.perf_counter() - asked)
        _until(listener, told * (len(waits) + 1))
        took, after = time.perf_counter() - began, self._cpu()
        listener.close()
        used = {name: max(after[name] - before[name] - idle[name] * took, 0) / len(waits) for name in before}
        store = used.pop(STORE)
        ours = sum(use for name, use in used.items() if not within or name == within or name.startswith("gateway"))
        return Cost(median(waits), ours, store)

    def _idle(self, seconds: float) -> dict[str, float]:
        """CPU seconds a second of each process while nobody asks."""
        time.sleep(SETTLE)
        before, began = self._cpu(), time.perf_counter()
        time.sleep(seconds)
        took = time.perf_counter() - began
        return {name: (used - before[name]) / took for name, used in self._cpu().items()}

    def _cpu(self) -> dict[str, float]:
        return {name: _seconds(pid) for name, pid in {**self._pids(), STORE: self._store}.items()}

    def _pids(self) -> dict[str, int]:
        """Processes by name; of a gunicorn's, the workers too."""
        found = dict(self._platform.pids)
        children = Path(f"/proc/{found['gateway']}/task/{found['gateway']}/children").read_text().split()
        return found | {f"gateway's worker {pid}": int(pid) for pid in children}

    def resident(self) -> dict[str, float]:
        """Megabytes of each process."""
        return {name: _resident(pid) / MEGABYTE for name, pid in self._pids().items()}


def _person(made: Document) -> Document:
    return person(made["_id"], made["name"], made["roles"], made["tags_have"], made["joined_at"], 1)


def _plan(starts: Any) -> Document:
    title = f"Café morning {secrets.token_hex(4)}"
    where = {"place": "The café", "link": None, "touchpoint": "cafe", "description": "Bring a part that broke."}
    audience = {"everyone": False, "roles": [], "tags": [TAG]}
    return {"title": title, "starts_at": starts, "ends_at": starts + timedelta(hours=1), "audience": audience} | where


class TooSlow(Exception):
    """The store did not answer before the call's deadline."""


def _answered(answer: requests.Response, status: int) -> None:
    if answer.status_code == 503:
        raise TooSlow(answer.text)
    assert answer.status_code == status, f"{answer.url}: {answer.status_code} {answer.text}"


def _until(listener: Listener, told: int, seconds: float = 60) -> None:
    """Wait until so many members were told since the listening began."""
    until = time.perf_counter() + seconds
    while sum(len(each["data"]["member_ids"]) for each in listener.heard) < told:
        assert time.perf_counter() < until, f"{told} were never told"
        listener.drain(1.0)


def _seconds(pid: int) -> float:
    """CPU seconds of a process until now, to the nanosecond, where it has not ended a thread."""
    return sum(int(task.read_text().split()[0]) for task in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


FLAT = 1.25
KINDS = [*ASKED, POSTED, ANNOUNCED]
ROWS = [Row(f"in a large hub: {kind}", "ms of CPU", "in a small one", at_most=FLAT) for kind in KINDS]
MEMORY = Row("in a large hub: memory of the platform", "MB", "in a small one", at_most=FLAT)


@part("growth", *ROWS, MEMORY)
def growth(ground: Ground, *rows: Row) -> None:
    """The same askings while the hub grows, between two small ones."""
    sizes = [ground.size(*each) for each in ((100, 1_000, 1_000), (1_000, 10_000, 10_000), (1_000, 10_000, 100_000))]
    sizes += [1_000_000] if ground.scale.million else []
    seconds = min(ground.scale.seconds, LONGEST)
    found: list[tuple[int, dict[str, Cost | None], dict[str, float]]] = []
    for hub, size in _hubs(ground, list(dict.fromkeys(sizes))):
        costs = dict(hub.costs(seconds))
        found.append((size, costs, hub.resident()))
        _say(ground, *found[-1])
    (_, early, small), (_, late, again) = found[0], found[-1]
    size, large, great = found[-2]
    for row in rows:
        row.note = f"{sizes[0]:,} → {size:,}"
    for row, kind in zip(rows, KINDS, strict=False):
        if (value := large[kind]) and (one := early[kind]) and (other := late[kind]):
            row.add(value.ours * 1e3, (one.ours + other.ours) / 2 * 1e3)
        else:
            row.why = f"{TooSlow.__doc__}"
    rows[-1].add(sum(great.values()), (sum(small.values()) + sum(again.values())) / 2)


def _hubs(ground: Ground, sizes: list[int]) -> Iterator[tuple[Hub, int]]:
    """A hub that grows, and another that is small again."""
    for these in (sizes, sizes[:1]):
        hub = Hub(ground)
        for size in these:
            hub.grow(size)
            yield hub, size
    ground.alone()


def _say(ground: Ground, size: int, costs: dict[str, Cost | None], resident: dict[str, float]) -> None:
    ground.say(f"{size:,} lines and voices: milliseconds until the answer, of CPU: ours, the store's")
    for kind, cost in costs.items():
        figures = [each * 1e3 for each in (cost.wait, cost.ours, cost.store)] if cost else []
        ground.say(f"  {kind:30} " + (" ".join(f"{each:9.2f}" for each in figures) or "too slow: 503"))
    ground.say("  resident MB: " + ", ".join(f"{name} {size:.0f}" for name, size in resident.items()))
