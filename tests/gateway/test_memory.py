"""The gateway's memory for caches and queues is bounded in bytes, whatever the requests."""

import tracemalloc
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import amqp
import pytest

from gateway.answers import Written
from gateway.bus import shared, stream
from gateway.bus.link import MOST_LETTERS, Link, LinkDown
from gateway.bus.reader import WAITING, WAITING_BYTES, Stream
from gateway.door import limits
from gateway.door.limits import network_of
from services.contracts.calling import Call
from services.contracts.errors import Unauthenticated
from services.ground import tokens
from services.ground.tokens import Caller
from tests.gateway.conftest import MEMBER, Sign

MEGABYTE = 1024 * 1024


def grown(work: Callable[[], object]) -> float:
    """Megabytes that Python holds more after some work."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        work()
        after, _ = tracemalloc.get_traced_memory()
        return (after - before) / MEGABYTE
    finally:
        tracemalloc.stop()


@pytest.fixture
def kept() -> shared.Shared:
    """The shared answers of a worker that hears the bus."""
    made = shared.Shared(Link("amqp://unused", 10))
    made._hearing = True
    return made


def page(number: int, size: int) -> dict[str, Any]:
    return {"items": [{"id": f"{number}-{each}", "description": "ü" * 200} for each in range(size // 400)], "next": "n"}


def test_long_answers_take_no_more_than_so_many_bytes(kept: shared.Shared) -> None:
    def ask() -> None:
        for number in range(100):
            key = b"%d" % number + b"k" * 10_000
            assert isinstance(kept.get("list_events", key, lambda number=number: page(number, 400_000)), Written)  # type: ignore[misc]

    assert grown(ask) < 1.2 * shared.MOST / MEGABYTE
    assert 0.8 * shared.MOST < kept._size <= shared.MOST


def test_short_answers_do_not_either(kept: shared.Shared) -> None:
    def ask() -> None:
        for number in range(60_000):
            kept.get("list_events", b"%d" % number, lambda: {"id": 1})

    assert grown(ask) < 1.2 * shared.MOST / MEGABYTE
    assert kept._size <= shared.MOST


def test_the_oldest_go_first_and_what_is_too_large_is_not_kept(kept: shared.Shared) -> None:
    asked: list[bytes] = []

    def get(key: bytes, size: int) -> None:
        kept.get("list_events", key, lambda: asked.append(key) or page(0, size))

    for key, size in ((b"large", 2 * shared.LARGEST), (b"small", 400)):
        get(key, size)
        get(key, size)
    assert asked == [b"large", b"large", b"small"]
    for number in range(40):
        get(b"%d" % number, shared.LARGEST // 2)
    get(b"39", 1)
    assert asked[-1] == b"39", "the youngest is kept"
    get(b"small", 400)
    assert asked[-1] == b"small"
    kept.lost()
    assert (kept._size, len(kept._kept)) == (0, 0)


def test_addresses_that_are_none_are_not_kept_whole() -> None:
    def come() -> None:
        for number in range(5_000):
            assert network_of(f"{number}" * 2_000) == "unknown"
            assert network_of(f"fe80::1%{number}" * 800).startswith("fe80::")

    limits._network_of.cache_clear()
    assert grown(come) < 3


def test_one_token_is_remembered_once(app: Any, sign: Sign) -> None:
    """A lenient reader of base64 skips foreign characters. One token could then be any number of texts of 8 KB."""
    known: tokens.Tokens = app.extensions["tokens"]
    good = sign()
    assert known.caller(good).id == MEMBER
    before = len(known._known)
    for number in range(200):
        with pytest.raises(Unauthenticated):
            known.caller(good + "." * number + "!" * 4_000)
        with pytest.raises(Unauthenticated):
            known.caller(f"{good[:-40]}{'!' * (number + 1)}{good[-40:]}")
    assert len(known._known) == before


def test_what_waits_for_the_broker_is_bounded() -> None:
    link = Link("amqp://unused", 10)
    link._connection = SimpleNamespace()
    letter = b"x" * 64 * 1024
    for _ in range(MOST_LETTERS // len(letter)):
        link.post(letter)
    with pytest.raises(LinkDown, match="does not take"):
        link.post(letter)


def test_a_reader_who_does_not_read_holds_only_so_much() -> None:
    reader = Stream(Caller(MEMBER, frozenset({"coworker"}), "s", 0.0, 9e9), "", None)
    said = b"x" * 20_000
    for _ in range(WAITING):
        reader.push(str(uuid.uuid4()), said)
    assert reader._waiting <= WAITING_BYTES
    assert list(reader.events(0.1))[-1].startswith(b"retry:"), "it was ended, to come back and catch up"


def test_what_was_missed_is_told_up_to_so_many_bytes(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def since(_asked: Call, **_kwargs: Any) -> dict[str, Any]:
        lines = [{"id": str(each), "event_id": f"1-{each}", "body": "x" * 5_000} for each in range(500)]
        return {"items": lines}

    monkeypatch.setattr(stream.rpc, "call", since)
    reader = Stream(Caller(MEMBER, frozenset({"coworker"}), "s", 0.0, 9e9), "", None)
    told = app.streams._missed(reader, "1-0")
    assert WAITING_BYTES - 6_000 < len(told) <= WAITING_BYTES
    last = int(told.rpartition(b"id: 1-")[2].partition(b"\n")[0])
    assert reader._said == {str(each) for each in range(last - WAITING + 1, last + 1)}, "what is told is not again"


def test_ids_that_are_none_of_ours_are_not_remembered(app: Any) -> None:
    app.streams._hear(amqp.Message(b'{"id": "%s", "data": {"member_ids": []}}' % (b"x" * 10_000)))
    assert not [each for each in app.streams._heard if len(each) > stream.LONGEST_ID]
