"""From one message to many inboxes. The limit is the store alone; only notifications runs."""

import time
from statistics import median

import orjson
from pymongo.collection import Collection

from services.contracts.catalogue import EXCHANGE
from services.contracts.messages.feedback import FEEDBACK_SUBMITTED
from services.contracts.messages.notifications import NOTIFICATIONS_DELIVERED
from services.ground import clock, identifiers
from services.notifications.inbox.store import InboxStore
from services.notifications.people.domain import person
from tests.bench.ground import Document, Ground, serve
from tests.bench.parts import part
from tests.bench.report import cores
from tests.bench.rows import Row
from tests.bench.seeds import BYSTANDERS, EVERYONE, TAGGED, chunks, lines, published, seed
from tests.bench.wire import Confirmed
from tests.rig.wire import Caller, Listener, submitted

WITHIN = 300.0  # seconds for one message
TIMES = 15  # that a short thing is done in one run
LONG_ENOUGH = 10.0  # seconds, after which it is not done again


@part("fanout", Row("event → 10,000 inboxes, targeted", "per s", "raw insert_many, same index", at_least=0.90))
def fanout(ground: Ground, row: Row) -> None:
    """An event for a tag that so many members have: from its message to the last line."""
    _fanout(ground, row, ground.size(500, 10_000, 10_000), runs=ground.size(1, 6, 15))


@part(
    "fanout-large",
    Row("event → 100,000 inboxes, targeted", "per s", "raw insert_many, same index", at_least=0.90),
    slow=True,
)
def fanout_large(ground: Ground, row: Row) -> None:
    """The same in a hub of a city."""
    _fanout(ground, row, ground.size(1_000, 20_000, 100_000), runs=ground.size(1, 3, 5))


def _fanout(ground: Ground, row: Row, people: int, runs: int) -> None:
    ground.alone()
    prefix, row.note = ground.fresh(), "" if f"{people:,}" in row.name else f"only {people:,}"
    members = seed(ground.database(prefix, "notifications").people, people, BYSTANDERS)
    bare = InboxStore(ground.database(ground.fresh(), "notifications"), "notifications")
    bare.prepare()
    with ground.processes(prefix) as processes:
        serve(processes, "notifications")
        ground.measure(
            row,
            lambda: people / _deliver(ground, people),
            lambda: people / _insert(bare.rows, members),
            runs=runs,
        )


def _insert(rows: Collection[Document], members: list[str]) -> float:
    """Seconds for the lines alone."""
    made = lines(members)
    began = time.perf_counter()
    for chunk in chunks(made):
        rows.insert_many(chunk, ordered=False)
    return time.perf_counter() - began


def _deliver(ground: Ground, people: int) -> float:
    """Seconds from the message until the bus has announced the last delivery. The line is in the store then."""
    message = published(TAGGED)
    listener, sender = (
        Listener(ground.backend.amqp_uri, NOTIFICATIONS_DELIVERED.key),
        Confirmed(ground.backend.amqp_uri),
    )
    began = time.perf_counter()
    sender.publish(orjson.dumps(message), EXCHANGE, message["type"])
    told, seen = 0, 0
    while told < people:
        assert time.perf_counter() - began < WITHIN, f"{told:,} of {people:,} were told"
        heard = [each["data"] for each in listener.drain(1.0)[seen:]]
        seen += len(heard)
        told += sum(len(each["member_ids"]) for each in heard if each["notification_id"] == message["id"])
    took = time.perf_counter() - began
    assert told == people, f"{told:,} lines instead of {people:,}"
    listener.close()
    sender.close()
    return took


@part(
    "everyone",
    Row("announcement to everyone, 1,000 → 100,000 members", "ms", "its own time at 1,000", at_most=1.2),
)
def everyone(ground: Ground, row: Row) -> None:
    """From the message until the bus has announced its delivery and the inbox of the newest member shows it."""
    ground.alone()
    few, many = ground.size(100, 1_000, 1_000), ground.size(1_000, 10_000, 100_000)
    row.note = "" if f"{few:,} → {many:,}" in row.name else f"only {few:,} → {many:,}"
    hubs = {}
    for people in (few, many):
        prefix = ground.fresh()
        hubs[people] = prefix, seed(ground.database(prefix, "notifications").people, people)[-1]
    ground.measure(row, lambda: _announced(ground, *hubs[many]), lambda: _announced(ground, *hubs[few]))


def _announced(ground: Ground, prefix: str, last: str) -> float:
    """Milliseconds for one announcement, in a process that has made two before."""
    uri, began, took = ground.backend.amqp_uri, time.monotonic(), list[float]()
    with ground.processes(prefix) as processes:
        serve(processes, "notifications")
        listener, sender, asking = Listener(uri, "notifications.#"), Confirmed(uri), Caller(uri)
        while len(took) < 2 + TIMES and (not took or time.monotonic() - began < LONG_ENOUGH):
            message, token, since = published(EVERYONE), ground.token(last), time.monotonic()
            sender.publish(orjson.dumps(message), EXCHANGE, message["type"])
            while not any(each["data"].get("notification_id") == message["id"] for each in listener.heard):
                listener.drain(1.0)
                assert time.monotonic() - since < WITHIN, "the announcement never came"
            while message["id"] not in _newest(asking, token):
                assert time.monotonic() - since < WITHIN, "the announcement was never shown"
                time.sleep(0.002)
            took.append(1000 * (time.monotonic() - since))
        for each in (listener, sender, asking):
            each.close()
    return median(took[2:] or took)


def _newest(asking: Caller, token: str) -> list[str]:
    query = {"limit": 1, "cursor": None, "unread": False}
    return [each["id"] for each in asking.call("notifications.inbox.browse", token=token, query=query)["items"]]


@part(
    "two",
    Row("two notifications processes, a backlog of voices", "per s", "one process", at_least=1.7),
)
def two(ground: Ground, row: Row) -> None:
    """Voices that come faster than administrators are told of them, until the last is told of. Two processes can be
    faster than one only where there are cores for them and for the store.
    """
    ground.alone()
    prefix, count = ground.fresh(), ground.size(50, 300, 800)
    row.note = f"{count:,} voices, {cores()} cores"
    now = clock.now()
    root = person(identifiers.new_id(now), "Root", ["administrator"], [], now, 1)
    ground.database(prefix, "notifications").people.insert_one(root)
    with ground.processes(prefix) as processes:
        serve(processes, "notifications")
        _told(ground, 20)

        def both() -> float:
            with ground.processes(prefix) as more:
                serve(more, "notifications")
                _told(ground, 20)
                return _told(ground, count)

        ground.measure(row, both, lambda: _told(ground, count), warm=False)


def _told(ground: Ground, count: int) -> float:
    """Voices per second that administrators are told of."""
    listener = Listener(ground.backend.amqp_uri, NOTIFICATIONS_DELIVERED.key)
    sender = Confirmed(ground.backend.amqp_uri)
    began = time.monotonic()
    for _ in range(count):
        sender.publish(orjson.dumps(submitted("I need a lamp.")), EXCHANGE, FEEDBACK_SUBMITTED.key)
    sender.settle()
    listener.wait(count, WITHIN)
    took = time.monotonic() - began
    listener.close()
    sender.close()
    return count / took
