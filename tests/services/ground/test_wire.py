"""py-amqp below its surface, against a real broker."""

import importlib.metadata
import re
import time
import uuid
from collections.abc import Iterator

import amqp
import pytest

from deploy.local.platform import ROOT
from services.ground import wire
from tests.rig.wire import connection

PRIVATE = {
    "Connection": ("_transport",),
    "transport": ("_write", "_quick_recv", "_read_buffer", "sock"),
}
AT_ONCE = 4096


@pytest.fixture
def opened(amqp_uri: str) -> Iterator[amqp.Connection]:
    made = connection(amqp_uri)
    yield made
    made.collect()


def test_py_amqp_has_the_private_parts_that_we_touch(opened: amqp.Connection) -> None:
    version = importlib.metadata.version("amqp")
    for part, names in PRIVATE.items():
        for name in names:
            found = hasattr(opened if part == "Connection" else opened.transport, name)
            assert found, f"py-amqp {version} has no {part}.{name}; services/ground/wire.py must find another way"


def test_they_are_touched_in_one_place() -> None:
    touched = re.compile(r"\._transport\b|transport\._|_quick_recv|_read_buffer|client_properties\[|on\.blocked\"")
    one_place = ROOT / "services/ground/wire.py"
    for folder in ("services", "gateway"):
        for path in (ROOT / folder).rglob("*.py"):
            assert path == one_place or not touched.search(path.read_text()), path


def test_publishing_reads_nothing_and_the_broker_still_tells_us_when_it_blocks(opened: amqp.Connection) -> None:
    announced = opened.client_properties["capabilities"]
    assert announced["connection.blocked"], "py-amqp asked the broker to tell us"
    wire.write_only(opened)
    read: list[int] = []
    receive = opened.transport._quick_recv
    opened.transport._quick_recv = lambda wanted: read.append(wanted) or receive(wanted)
    channel = opened.channel()
    read.clear()
    channel.basic_publish(amqp.Message(b"hello"), "", "nobody's")
    assert not read
    assert announced["connection.blocked"], "the properties that others hold are unchanged"


def test_many_messages_are_read_in_few_system_calls(opened: amqp.Connection, amqp_uri: str) -> None:
    bodies = [b"%04d" % number for number in range(100)]
    with connection(amqp_uri) as other:
        publisher, channel = other.channel(), opened.channel()
        channel.auto_decode = False
        queue = channel.queue_declare(f"test.{uuid.uuid4()}", exclusive=True).queue
        for body in bodies:
            publisher.basic_publish(amqp.Message(body), "", queue)
        publisher.queue_declare(queue=queue + ".after", exclusive=True)  # an answer to this comes after them
    calls: list[int] = []
    receive = opened.transport._quick_recv
    opened.transport._quick_recv = lambda wanted: calls.append(wanted) or receive(wanted)
    wire.read_ahead(opened, AT_ONCE)
    heard: list[bytes] = []
    channel.basic_consume(queue, no_ack=True, callback=lambda message: heard.append(message.body))
    until = time.monotonic() + 10
    while len(heard) < len(bodies) and time.monotonic() < until:
        opened.drain_events(timeout=5)
    assert heard == bodies
    assert set(calls) == {AT_ONCE}
    assert len(calls) < len(bodies), "py-amqp alone makes nine a message"


def test_diverted_frames_go_out_when_we_say(opened: amqp.Connection) -> None:
    channel = opened.channel()
    channel.auto_decode = False
    queue = channel.queue_declare("", exclusive=True).queue
    gathered: list[bytes] = []
    write = wire.divert(opened, lambda frames: gathered.append(bytes(frames)))
    for body in (b"one", b"two"):
        channel.basic_publish(amqp.Message(body), "", queue)
    assert gathered
    wire.divert(opened, write)
    assert channel.basic_get(queue) is None
    write(b"".join(gathered))
    assert [channel.basic_get(queue, no_ack=True).body for _ in range(2)] == [b"one", b"two"]


def test_a_cut_connection_is_found_lost_by_who_reads(opened: amqp.Connection) -> None:
    wire.cut(opened)
    with pytest.raises(OSError):  # noqa: PT011 - of whichever kind
        opened.drain_events(timeout=5)
    opened.collect()
    wire.cut(opened)
    assert not opened.connected, "it did not connect once more"


def test_who_may_not_declare_goes_on(opened: amqp.Connection) -> None:
    made: list[str] = []

    def refused(channel: amqp.Channel) -> None:
        channel.exchange_declare("amq.ours", "topic", durable=True, auto_delete=False)

    def more(channel: amqp.Channel) -> None:
        made.append(channel.queue_declare("", exclusive=True).queue)

    wire.declare(opened, more, refused, more)
    assert len(made) == 1, "nothing is declared after a refusal"
    wire.declare(opened, more)
    assert len(made) == 2
