"""Ours beside its peers: the same work on the same broker and store, in turn. Both must answer alike first."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import amqp
import orjson
import requests
from pymongo.database import Database

from services.contracts.catalogue import CONTENT_TYPE, EXCHANGE
from services.contracts.messages.events import EVENTS_PUBLISHED
from services.contracts.messages.notifications import NOTIFICATIONS_DELIVERED
from services.ground import clock, identifiers
from services.notifications.fanout.domain import PORTION
from services.notifications.inbox.store import InboxStore
from services.notifications.people.domain import person
from services.notifications.people.store import PeopleStore
from tests.bench.ground import Document, Ground, serve
from tests.bench.load import CONNECTIONS, rate, warm
from tests.bench.parts import NotMeasured, part
from tests.bench.peers import Unprepared, prepared
from tests.bench.rows import Row
from tests.bench.seeds import TAG, TAGGED, published
from tests.rig.processes import free_port
from tests.rig.wire import connection

PEERS = "tests.bench.peers"
PEOPLE = 10_000
BYSTANDERS = 2_000
WITHIN = 120.0  # seconds for one event
SETTLE = 0.5  # seconds: the remaining work of one side must not slow the next turn
QUEUE, TOLD = "peer.fanout", "peer.told"
DELAYS = 28  # queues that Celery makes for delayed tasks where its own are quorum queues
FORGED = "eyJhbGciOiJFZERTQSIsImtpZCI6IngifQ.e30.AA"


def _python(name: str) -> str:
    try:
        return str(prepared(name))
    except Unprepared as error:
        raise NotMeasured(str(error)) from None


@part(
    "nameko",
    Row(f"GET /v1/me, {CONNECTIONS} connections", "per s", "nameko's HTTP entrypoint and RpcProxy", at_least=2.0),
)
def nameko(ground: Ground, row: Row) -> None:
    """The same route, check, read and answer as nameko would have it."""
    _me(ground, row, "nameko_http", AS_IT_COMES="1")


@part(
    "nameko-tuned",
    Row(f"GET /v1/me, {CONNECTIONS} connections", "per s", "the same, tuned as far as it goes", at_least=2.0),
)
def nameko_tuned(ground: Ground, row: Row) -> None:
    """With as many workers, as few confirms and as fast a JSON as nameko can have."""
    _me(ground, row, "nameko_http")


@part(
    "faststream",
    Row(f"GET /v1/me, {CONNECTIONS} connections", "per s", "FastAPI and FastStream", at_least=1.0),
)
def faststream(ground: Ground, row: Row) -> None:
    """The same route, check, read and answer on asyncio."""
    _me(ground, row, "faststream_fastapi")


def _me(ground: Ground, row: Row, name: str, **settings: str) -> None:
    python, platform, port = _python(name), ground.whole(), free_port()
    member = platform.join(tags_have=["bookkeeping"], tags_want=["3d printing"], what_i_do="Bookkeeping")
    ours, theirs = (f"{door}/v1/me" for door in (platform.url, f"http://127.0.0.1:{port}"))
    token, seconds = member.tokens["access_token"], ground.scale.seconds
    with ground.processes(platform.prefix, DATABASE=f"{platform.prefix}members", PORT=str(port), **settings) as peer:
        peer.python = python
        serve(peer, "accounts", "-m", f"{PEERS}.{name}", "accounts")
        peer.start("door", "-m", f"{PEERS}.{name}", "door")
        warm(ours, token), warm(theirs, token)
        _alike(ours, theirs, token)
        runs = ground.size(1, 5, 7)
        ground.measure(row, lambda: rate(ours, token, seconds), lambda: rate(theirs, token, seconds), runs=runs)


def _alike(ours: str, theirs: str, token: str) -> None:
    for bearer in (token, FORGED, ""):
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        one, other = (requests.get(url, headers=headers, timeout=5) for url in (ours, theirs))
        assert one.status_code == other.status_code == (200 if bearer == token else 401), (one.text, other.text)
        assert one.status_code != 200 or one.json() == other.json(), (one.text, other.text)


@part(
    "celery",
    Row(f"one event to {PEOPLE:,} inboxes", "per s", f"Celery, a task for each {PORTION:,}", at_least=1.5),
)
def celery(ground: Ground, row: Row) -> None:
    """From an event's message until all lines are stored, as their writers report."""
    python, uri = _python("celery"), ground.backend.amqp_uri
    ground.alone()
    prefix, other = ground.fresh(), ground.fresh()
    databases = [ground.database(each, "notifications") for each in (prefix, other)]
    ids = _ids()
    for database in databases:
        _seed(database, ids)
    with ground.processes(prefix) as processes, _celery(ground, python, databases[1].name):
        serve(processes, "notifications")
        event = published(TAGGED)
        _ours(uri, event), _theirs(uri, event)
        ours, theirs = (_lines(database, event) for database in databases)
        assert len(ours) == PEOPLE, len(ours)
        assert ours == theirs, f"{len(theirs)} lines, or others"
        runs = ground.size(1, 5, 11)
        ground.measure(row, lambda: _rate(_ours, uri), lambda: _rate(_theirs, uri), runs=runs)


@contextmanager
def _celery(ground: Ground, python: str, database: str) -> Iterator[None]:
    """Celery's worker, which leaves nothing on the broker."""
    try:
        with ground.processes(DATABASE=database, QUEUE=QUEUE, TOLD=TOLD) as peer:
            peer.python = python
            peer.start("celery", "-m", f"{PEERS}.celery")
            peer.until("celery", " ready.")
            yield
    finally:
        made = [f"celery_delayed_{number}" for number in range(DELAYS)] + [QUEUE]
        link = connection(ground.backend.amqp_uri)
        for name in made:
            link.channel().queue_delete(name)
        for name in [*made, "celery_delayed_delivery"]:
            link.channel().exchange_delete(name)
        link.close()


def _ids() -> list[str]:
    joined_at = clock.now() - timedelta(days=1)
    return [identifiers.new_id(joined_at + timedelta(milliseconds=number)) for number in range(PEOPLE + BYSTANDERS)]


def _seed(database: Database[Document], ids: list[str]) -> None:
    """Put members and an empty inbox into the store, as notifications would have them. The first ones have the tag."""
    people, inbox = PeopleStore(database, "notifications"), InboxStore(database, "notifications")
    people.prepare(), inbox.prepare()
    joined_at = clock.now() - timedelta(days=1)
    for start in range(0, len(ids), PORTION):
        tags = ["python", TAG] if start < PEOPLE else ["python"]
        chunk = ids[start : start + PORTION]
        people.rows.insert_many(person(id, "Amara Okafor", ["coworker"], tags, joined_at, 1) for id in chunk)


def _lines(database: Database[Document], event: Document) -> list[Document]:
    """All but the moment of each line."""
    return list(database["inbox"].find({"notification": event["id"]}, {"at": False}).sort("_id", 1))


def _rate(tell: Callable[[str, Document], float], uri: str) -> float:
    time.sleep(SETTLE)
    return PEOPLE / tell(uri, published(TAGGED))


def _ours(uri: str, event: Document) -> float:
    def told(heard: Document) -> list[str]:
        data = heard["data"]
        return data["member_ids"] if data["notification_id"] == event["id"] else []

    message = amqp.Message(orjson.dumps(event), content_type=CONTENT_TYPE, delivery_mode=2)
    return _seconds(uri, "", told, message, EXCHANGE, EVENTS_PUBLISHED.key)


def _theirs(uri: str, event: Document) -> float:
    """A task for Celery, in its message protocol 2."""
    message = amqp.Message(
        orjson.dumps([[event["id"], event["time"], event["data"]], {}, {}]),
        content_type="application/json",
        content_encoding="utf-8",
        correlation_id=event["id"],
        application_headers={"lang": "py", "task": "tell_of_an_event", "id": event["id"], "root_id": event["id"]},
        delivery_mode=2,
    )
    return _seconds(uri, TOLD, lambda heard: heard.get(event["id"], []), message, QUEUE, QUEUE)


def _seconds(
    uri: str, queue: str, told: Callable[[Document], list[str]], message: amqp.Message, exchange: str, key: str
) -> float:
    """From sending a message until everybody was told of it. What is said twice counts once."""
    link, heard = connection(uri), set[str]()
    channel = link.channel()
    queue = channel.queue_declare(queue, exclusive=True).queue
    if exchange == EXCHANGE:
        channel.queue_bind(queue, exchange, NOTIFICATIONS_DELIVERED.key)
    channel.basic_consume(queue, callback=lambda found: heard.update(told(orjson.loads(found.body))), no_ack=True)
    began = time.perf_counter()
    channel.basic_publish(message, exchange, key)
    while len(heard) < PEOPLE:
        assert time.perf_counter() - began < WITHIN, f"{len(heard)} of {PEOPLE} were told"
        with suppress(TimeoutError):
            link.drain_events(timeout=1)
    took = time.perf_counter() - began
    link.close()
    return took
