"""Live streams: the time until one member sees another's words, and the number of streams of one worker."""

import re
import selectors
import socket
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import orjson

from services.contracts.catalogue import EXCHANGE, PRIVATE
from services.contracts.messages.notifications import NOTIFICATIONS_DELIVERED
from services.feedback.voices.store import VoiceStore
from services.ground import clock, identifiers
from services.notifications.inbox.store import InboxStore
from tests.bench.bare_bus import CAPABILITY, KEPT, QUEUES
from tests.bench.bare_store import voice
from tests.bench.families.platform import resident
from tests.bench.ground import Ground, Whole, serve
from tests.bench.parts import part
from tests.bench.rows import Row, percentile
from tests.bench.seeds import chunks
from tests.bench.wire import NOBODY, Confirmed, event, paced, taken
from tests.rig.processes import Member

PER_SECOND = 20
POSTERS = 8
SHOWN_WITHIN = 1.0  # seconds
EACH = 60.0  # KiB
AT_ONCE = 50  # streams that are opened together
WITHIN = 30.0  # seconds until whatever is awaited must have come
BEGUN, TOLD = b"what reaches your inbox", b"event: notification"


@part(
    "live",
    Row(f"POST → another's open stream p50, {PER_SECOND} per s", "ms", "raw hop + journaled write + insert", at_most=4),
    Row(f"POST → another's open stream p99, {PER_SECOND} per s", "ms", "raw hop + journaled write + insert", at_most=6),
)
def live(ground: Ground, middle: Row, slowest: Row) -> None:
    """From just before a member posts a voice until an administrator's open stream has shown it. Beside it, at the same
    rate: a voice is inserted, its message published with a confirm, heard by py-amqp, and a line inserted.
    """
    platform, count = ground.whole(), PER_SECOND * ground.size(1, 2, 6)
    prefix, author = ground.fresh(), platform.join()
    voices = VoiceStore(ground.database(prefix, "bare"), "feedback")
    for store in (voices, InboxStore(ground.database(prefix, "bare"), "notifications")):
        store.prepare()
    with ground.processes() as processes, Watch(platform, platform.administrator) as watch:
        serve(processes, "bare", "-m", "tests.bench.bare_bus", f"{prefix}bare")

        def ours() -> list[float]:
            return _shares(_shown(watch, author, count))

        def bare() -> list[float]:
            return _shares(_kept(ground.backend.amqp_uri, voices, count))

        ground.measure([middle, slowest], ours, bare)
    ground.forget(*QUEUES)


def _shares(took: list[float]) -> list[float]:
    return [percentile(took, share) for share in (0.50, 0.99)]


class Watch:
    """An open stream, and when it showed which words."""

    def __init__(self, platform: Whole, reader: Member) -> None:
        self._connection = _open(platform, reader.tokens["access_token"])
        self.seen: dict[bytes, float] = {}

    def __enter__(self) -> "Watch":
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def _read(self) -> None:
        heard = b""
        with suppress(OSError):
            while more := self._connection.recv(65536):
                now, heard = time.monotonic(), heard[-200:] + more
                for words in re.findall(rb"live-\d+-", heard):
                    self.seen.setdefault(words, now)


def _shown(watch: Watch, author: Member, count: int) -> list[float]:
    """Milliseconds from each post to the stream."""
    first, sent = len(watch.seen), dict[bytes, float]()

    def post(number: int) -> None:
        words = f"live-{first + number}-"
        sent[words.encode()] = time.monotonic()
        author.post("/v1/feedback", {"text": words})

    posted: list[Future[None]] = []
    with ThreadPoolExecutor(POSTERS) as pool:
        paced(count, PER_SECOND, lambda number: posted.append(pool.submit(post, number)), _sleep)
    for each in posted:
        each.result()
    until = time.monotonic() + WITHIN
    while len(watch.seen) < first + count:
        assert time.monotonic() < until, f"the stream showed {len(watch.seen) - first} of {count}"
        time.sleep(0.01)
    return [1000 * (watch.seen[words] - at) for words, at in sent.items()]


def _kept(uri: str, voices: VoiceStore, count: int) -> list[float]:
    """Milliseconds from before each write to after the last insert."""
    sender, sent = Confirmed(uri), dict[str, float]()

    def post(number: int) -> None:
        said = event(NOTIFICATIONS_DELIVERED, NOBODY, {"text": f"live-{number}-"})
        made = voice(NOBODY, "I need a lamp.")
        sent[said["id"]] = time.monotonic()
        voices.rows.insert_one(made)
        sender.publish(orjson.dumps(said), PRIVATE, KEPT)

    paced(count, PER_SECOND, post, sender.pass_time)
    sender.settle()
    sender.close()
    kept = taken(uri, CAPABILITY, count)
    return [1000 * (kept[id] - at) for id, at in sent.items()]


def _sleep(until: float) -> None:
    time.sleep(max(0.0, until - time.monotonic()))


def _open(platform: Whole, token: str) -> socket.socket:
    """A stream that was asked for."""
    made = socket.create_connection(("127.0.0.1", platform.port), timeout=WITHIN)
    head = f"GET /v1/notifications/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n"
    made.sendall(head.encode())
    return made


@part(
    "streams",
    Row("2,000 open streams on one worker: the last one sees", "s", "the promise", at_most=1.0),
    Row("2,000 open streams on one worker: memory each", "KiB", "the promise", at_most=1.0),
)
def streams(ground: Ground, last: Row, memory: Row) -> None:
    """As many members, each with a stream; a message that tells all of them, in chunks as the fan-out sends it."""
    platform, count = ground.whole(), ground.size(30, 300, 2_000)
    last.note = memory.note = "" if f"{count:,}" in last.name else f"only {count:,}"
    members = [identifiers.new_id(clock.now()) for _ in range(count)]
    tokens = [ground.token(each) for each in members]
    with Opened() as opened:
        before = _worker(platform)
        while len(opened) < count:
            some = [_open(platform, token) for token in tokens[len(opened) :][:AT_ONCE]]
            opened.extend(some)
            _await(some, BEGUN)
        memory.add((_worker(platform) - before) / 1024 / count, EACH)
        _tell(ground, members, opened)  # warms it up
        for _ in range(ground.scale.runs):
            last.add(_tell(ground, members, opened), SHOWN_WITHIN)


class Opened(list[socket.socket]):
    """Sockets that are closed in the end."""

    def __enter__(self) -> "Opened":
        return self

    def __exit__(self, *_error: object) -> None:
        for each in self:
            each.close()


def _worker(platform: Whole) -> int:
    return resident(platform.pids)["gateway's worker"]


def _tell(ground: Ground, members: list[str], opened: list[socket.socket]) -> float:
    """Seconds until the last stream has shown a message to all members."""
    sender, id = Confirmed(ground.backend.amqp_uri), identifiers.new_id(clock.now())
    facts: dict[str, Any] = {"notification_id": id}
    bodies = [
        event(NOTIFICATIONS_DELIVERED, id, {**NOTIFICATIONS_DELIVERED.example, **facts, "member_ids": some})
        for some in chunks(members)
    ]
    began = time.monotonic()
    for body in bodies:
        sender.publish(orjson.dumps(body), EXCHANGE, NOTIFICATIONS_DELIVERED.key)
    _await(opened, TOLD)
    took = time.monotonic() - began
    sender.close()
    return took


def _await(opened: list[socket.socket], words: bytes) -> None:
    """Until each of them has said these words."""
    waiting, until = selectors.DefaultSelector(), time.monotonic() + WITHIN
    for each in opened:
        waiting.register(each, selectors.EVENT_READ, b"")
    while waiting.get_map():
        assert time.monotonic() < until, f"{len(waiting.get_map())} of {len(opened)} streams never said {words!r}"
        for key, _ in waiting.select(1.0):
            heard = key.data + key.fileobj.recv(65536)  # type: ignore[union-attr]
            if words in heard:
                waiting.unregister(key.fileobj)
            else:
                waiting.modify(key.fileobj, selectors.EVENT_READ, heard)
    waiting.close()
