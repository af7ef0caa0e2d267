"""The bus: messages from publisher to handler and out of the outbox, and calls. The limit is py-amqp alone."""

import time
from functools import partial

import amqp
import orjson

from services.chassis.bus import declare_exchanges
from services.chassis.bus.topology import declare_handler
from services.chassis.outbox import UNSENT
from services.chassis.rows import RENEWABLE
from services.contracts.catalogue import PRIVATE
from services.contracts.messages.feedback import FEEDBACK_SUBMITTED
from tests.bench.bare_bus import CAPABILITY, HEARD, QUEUES
from tests.bench.bare_store import another, voice
from tests.bench.ground import Ground, run, serve
from tests.bench.parts import part
from tests.bench.rows import Row, percentile
from tests.bench.wire import IN_FLIGHT, NOBODY, Confirmed, calls, event, paced, taken
from tests.bench.words import BENCH_SAID
from tests.rig.wire import connection

ECHO = "bench.echo"
OWN = ("bench.echo.hear", f"rpc-{ECHO}")
VOICES = "notifications.fanout.tell_the_administrators"
SLOW = 50  # messages per second
SHORTEST, LEAST = 0.5, 200  # seconds of a turn, and messages
CHUNK = 1000


def _hops(uri: str, key: str, capability: str, per_second: float, seconds: float) -> list[float]:
    """Milliseconds from just before a publish to the handler's start, of each message."""
    sender, sent = Confirmed(uri), dict[str, float]()

    def send(number: int) -> None:
        said = event(BENCH_SAID, "bench", {"text": f"{number}"})
        sent[said["id"]] = time.monotonic()
        sender.publish(orjson.dumps(said), PRIVATE, key)

    paced(max(round(per_second * seconds), 1), per_second, send, sender.pass_time)
    sender.settle()
    sender.close()
    heard = taken(uri, capability, len(sent))
    return [1000 * (heard[id] - at) for id, at in sent.items()]


def _capacity(uri: str, count: int) -> float:
    """Messages per second that the chassis handles at most, while they are published."""
    sender, began = Confirmed(uri), time.monotonic()
    for number in range(count):
        sender.publish(orjson.dumps(event(BENCH_SAID, "bench", {"text": f"{number}"})), PRIVATE, BENCH_SAID.key)
        sender.settle(CHUNK)
    sender.settle()
    sender.close()
    return count / (max(taken(uri, ECHO, count).values()) - began)


@part(
    "hop",
    Row(f"message hop p99, {SLOW} per s", "ms", "raw AMQP hop, same queue type", at_most=1.6),
    Row("message hop p99, half load", "ms", "raw AMQP hop, same rate", at_most=2.0),
)
def hop(ground: Ground, slow: Row, half: Row) -> None:
    """From just before a message is published (by py-amqp, persistent, with confirms) to the start of its handler: an
    `@on` of the real chassis, beside a callback of py-amqp, each on a quorum queue with the same prefetch. Short turns:
    the broker stops for 15 to 40 ms at times, whosever turn it is.
    """
    ground.alone()
    uri = ground.backend.amqp_uri
    with ground.processes() as processes:
        serve(processes, "echo", "-m", "tests.bench.service")
        serve(processes, "bare", "-m", "tests.bench.bare_bus", f"{ground.fresh()}bare")
        ways = (BENCH_SAID.key, ECHO), (HEARD, CAPABILITY)
        load = _capacity(uri, ground.size(300, 2000, 5000)) / 2
        half.note = f"{load:.0f} per s"
        for row, per_second in (slow, SLOW), (half, load):
            seconds = max(SHORTEST, LEAST / per_second)
            ours, bare = (partial(_slowest, uri, key, name, per_second, seconds) for key, name in ways)
            ground.measure(row, ours, bare, turns=ground.size(1, 2, 5))
    ground.forget(*OWN, *QUEUES)


def _slowest(*how: object) -> float:
    return percentile(_hops(*how), 0.99)  # type: ignore[arg-type]


@part("rpc", Row(f"RPC echo of the chassis, {IN_FLIGHT} in flight", "per s", "raw py-amqp RPC server", at_least=0.50))
def rpc(ground: Ground, row: Row) -> None:
    """The same client calls an `@rpc` of the real chassis and a callback of py-amqp."""
    ground.alone()
    uri = ground.backend.amqp_uri
    with ground.processes() as processes:
        serve(processes, "echo", "-m", "tests.bench.service")
        serve(processes, "bare", "-m", "tests.bench.bare_bus", f"{ground.fresh()}bare")
        ours, bare = (partial(calls, uri, f"{each}.echo", ground.scale.seconds) for each in (ECHO, CAPABILITY))
        ground.measure(row, ours, bare)
    ground.forget(*OWN, *QUEUES)


@part("relay", Row("outbox relay, a backlog", "per s", "py-amqp, a window of 100 confirms", at_least=0.50))
def relay(ground: Ground, row: Row) -> None:
    """Saved voices whose messages nobody has sent yet, as after an outage of the broker: from the first message in a
    handler's queue to the last, or to the end of our patience. Beside it the same messages, ready to be published.
    """
    ground.alone()
    count = ground.size(300, 5_000, 50_000)
    row.note = f"of {count:,}"
    with connection(ground.backend.amqp_uri) as opened, opened.channel() as channel:
        declare_exchanges(channel)
        declare_handler(channel, VOICES, FEEDBACK_SUBMITTED)

        def bare() -> float:
            found = float(run("-m", "tests.bench.bare_publish", str(count), AMQP_URI=ground.backend.amqp_uri))
            channel.queue_purge(VOICES)
            return found

        ground.measure(row, lambda: _relayed(ground, channel, count), bare, warm=False)


def _relayed(ground: Ground, channel: amqp.Channel, count: int) -> float:
    """The messages per second that the relay of a service sends when it finds so many."""
    prefix = ground.fresh()
    rows = ground.database(prefix, "feedback").get_collection("voices", write_concern=RENEWABLE)
    pattern = voice(NOBODY, "I need a lamp.")
    for start in range(0, count, CHUNK):
        rows.insert_many([another(pattern) for _ in range(min(CHUNK, count - start))], ordered=False)
    with ground.processes(prefix) as processes:
        serve(processes, "feedback")
        began, first, sent, now = 0.0, 0, 0, time.monotonic()
        until = now + ground.size(10, 15, 60)
        while sent < count and now < until:
            time.sleep(0.01)
            sent, now = channel.queue_declare(VOICES, passive=True).message_count, time.monotonic()
            if sent and not began:
                began, first = now, sent
        while rows.find_one({UNSENT: True}, {"_id": True}) and time.monotonic() < until:
            time.sleep(0.2)
        ground.say(f"  all was taken out of its aggregates {time.monotonic() - now:.1f} s after it was sent")
    channel.queue_purge(VOICES)
    ground.client.drop_database(f"{prefix}feedback")
    if sent < count:
        ground.say(f"  the relay sent {sent:,} of {count:,} in time")
    return (sent - first) / (now - began) if sent > first else sent / 0.01
