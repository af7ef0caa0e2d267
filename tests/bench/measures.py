"""The measurements, each on a running platform."""

import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import amqp
import orjson
import requests
from pymongo.collection import Collection
from pymongo.database import Database

from services.chassis import identifiers
from services.chassis.store import RENEWABLE
from services.contracts.catalogue import CONTENT_TYPE, EXCHANGE, envelope
from services.contracts.messages.events import EVENTS_PUBLISHED
from services.contracts.messages.notifications import NOTIFICATIONS_DELIVERED
from services.notifications import wording
from services.notifications.inbox.domain import line
from services.notifications.inbox.store import InboxStore
from services.notifications.people.domain import person
from services.notifications.people.store import CHUNK
from tests.bench.load import CONNECTIONS, rate
from tests.bench.rows import MEGABYTE, Row
from tests.processes import Member, Platform, free_port
from tests.wire import Listener, connection

PROMISED = 700 * MEGABYTE  # resident
SIGN_INS = 100
SETTLE = 3.0  # seconds that the processes have to become idle
TAG = "bench"
BYSTANDERS = 0.2  # of the members are not in the audience
WITHIN = 300.0  # seconds for one fan-out
Document = dict[str, Any]


def memory(platform: Platform, pids: dict[str, int], say: Callable[[str], None]) -> list[Row]:
    """What the idle platform occupies, and each process of it: as it came up, and after many have signed in."""
    rows = []
    for what in ("as it came up", f"after {SIGN_INS} sign-ins"):
        if rows:
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(lambda _: platform.sign_in(platform.administrator.profile["email"]), range(SIGN_INS)))
        time.sleep(SETTLE)
        sizes = {name: size / MEGABYTE for name, size in _sizes(pids).items()}
        say(f"resident MB {what}: " + ", ".join(f"{name} {size:.0f}" for name, size in sizes.items()))
        row = Row(f"idle platform {what}", "MB", "the promise", at_most=1.0)
        row.runs.append((sum(sizes.values()), PROMISED / MEGABYTE))
        rows.append(row)
    return rows


def _sizes(pids: dict[str, int]) -> dict[str, int]:
    """Resident bytes of every process; those of a gunicorn's workers by themselves."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,rss="], capture_output=True, text=True, check=True).stdout
    processes = [tuple(map(int, row.split())) for row in listed.splitlines()]
    sizes: dict[str, int] = {}
    for name, pid in pids.items():
        for found, parent, kilobytes in processes:
            if found == pid:
                sizes[name] = kilobytes * 1024
            elif parent == pid:
                sizes[f"{name}'s worker"] = sizes.get(f"{name}'s worker", 0) + kilobytes * 1024
    return sizes


def me(platform: Platform, member: Member, runs: int, seconds: float) -> Row:
    """A signed-in member's profile (token, RPC, one read), beside Flask that answers the same from memory."""
    row = Row(f"GET /v1/me, {CONNECTIONS} connections", "per s", "bare Flask, same gunicorn", at_least=0.15)
    port = free_port()
    application = f"tests.bench.bare:create({member.profile!r})"
    platform.processes.start("bare", "-m", "gunicorn", "-c", "gateway/gunicorn.conf.py", application, PORT=str(port))
    doors = f"{platform.url}/v1/me", f"http://127.0.0.1:{port}/v1/me"
    for url in doors:
        _until_open(url)
        rate(url, member.tokens["access_token"], 1)
    ours, limit = (partial(rate, url, member.tokens["access_token"], seconds) for url in doors)
    row.measure(runs, ours, limit)
    platform.processes.end("bare")
    return row


def _until_open(url: str) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            requests.get(url, timeout=5)
            return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise TimeoutError(f"nobody answers at {url}")


def fanout(amqp_uri: str, database: Database[Document], people: int, runs: int) -> Row:
    """An event for a tag that so many members have, from publishing its message until the bus has said that the last
    of them was told, which it says when the lines are in the store. Beside it the bare insert of the same lines.
    """
    row = Row(f"one event to {people:,} inboxes", "per s", "bare insert_many", at_least=0.8)
    members = _seed(database["people"], people)
    bare = database.get_collection("bare", write_concern=RENEWABLE)
    bare.create_indexes(list(InboxStore.indexes))
    _insert(bare, members), _publish(amqp_uri, people)  # warms both up
    row.measure(runs, lambda: people / _publish(amqp_uri, people), lambda: people / _insert(bare, members))
    if (found := database["inbox"].estimated_document_count()) != people * (runs + 1):
        print(f"{found:,} lines instead of {people * (runs + 1):,}: what was measured is not the whole work")
    return row


def _seed(rows: Collection[Document], people: int) -> list[str]:
    """Members with the tag, and some without; returns the ids of the former."""
    joined_at = identifiers.now() - timedelta(days=1)
    ids = [identifiers.new_id(joined_at + timedelta(milliseconds=number)) for number in range(people)]
    others = [identifiers.new_id(joined_at) for _ in range(int(people * BYSTANDERS))]
    everybody = [(id, ["python", TAG]) for id in ids] + [(id, ["python"]) for id in others]
    for start in range(0, len(everybody), CHUNK):
        rows.insert_many(
            person(id, "Amara Okafor", ["coworker"], tags, joined_at, 1)
            for id, tags in everybody[start : start + CHUNK]
        )
    return ids


def _insert(rows: Collection[Document], members: list[str]) -> float:
    """Seconds for the lines alone."""
    now = identifiers.now()
    event = _event(now)
    about = [event[name] for name in ("_id", "title", "starts_at", "place", "audience")]
    notice = wording.event_published(*about)
    notification_id = identifiers.new_id(now)
    lines = [line(member_id, notification_id, notice, now) for member_id in members]
    began = time.perf_counter()
    for start in range(0, len(lines), CHUNK):
        rows.insert_many(lines[start : start + CHUNK], ordered=False)
    return time.perf_counter() - began


def _publish(amqp_uri: str, people: int) -> float:
    """Seconds from the message to the last line."""
    event = _event(identifiers.now())
    announcement = EVENTS_PUBLISHED.about(event, event_id=event["_id"], actor_id=event["host_id"])
    message = envelope(
        announcement, id=identifiers.new_id(announcement.at), sequence=2, correlation_id="bench", causation_id=None
    )
    listener, sender = Listener(amqp_uri, NOTIFICATIONS_DELIVERED.key), connection(amqp_uri)
    body = amqp.Message(orjson.dumps(message), content_type=CONTENT_TYPE, delivery_mode=2)
    began = time.perf_counter()
    sender.channel().basic_publish(body, EXCHANGE, message["type"])
    told = 0
    while told < people and time.perf_counter() - began < WITHIN:
        listener.drain(1.0)
        told = sum(
            len(heard["data"]["member_ids"])
            for heard in listener.heard
            if heard["data"]["notification_id"] == message["id"]
        )
    took = time.perf_counter() - began
    listener.close()
    sender.close()
    return took


def _event(now: datetime) -> Document:
    starts_at = now + timedelta(days=3)
    return {
        "_id": identifiers.new_id(now),
        "changed_at": now,
        "title": "Café morning: how we print",
        "touchpoint": "cafe",
        "place": "The café, ground floor",
        "link": None,
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(hours=1),
        "audience": {"everyone": False, "roles": [], "tags": [TAG]},
        "host_id": identifiers.new_id(now),
    }
