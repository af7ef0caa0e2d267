"""The limits of queues, on every RabbitMQ that can be had: those that we name, and none that a version brings along.

The default of some changed: from 4.0 on a quorum queue drops what was returned 20 times, unless it is told otherwise.
"""

import json
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import amqp
import pytest
import yaml

from deploy.local import private
from deploy.local.broker import DEFINITIONS, Broker
from deploy.local.platform import ROOT
from deploy.rights import rights
from deploy.secrets import definitions
from services.chassis.bus import QUORUM, declare_exchanges
from tests.hub.operator import Operator
from tests.rig.processes import until
from tests.rig.wire import connection

VERSIONS = ("3.10", "4.0", "4.1", "4.3")
TIMES = 70  # more often than any version returns a message by default
POLICIES: list[dict[str, Any]] = json.loads(DEFINITIONS.read_text())["policies"]
PASSWORD = secrets.token_hex(16)
UP_WITHIN = 120.0  # seconds
KEPT = {"unheard": "community", "dead": "dead"}  # queues, each with an exchange that leads there
CONF = ROOT / "deploy" / "rabbitmq" / "rabbitmq.conf"
OPERATOR = {"user": "operator", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}
RIGHTS: dict[str, Any] = {"permissions": [OPERATOR], "topic_permissions": []}  # of the only user there is


@dataclass(frozen=True)
class Bus:
    """A broker with the committed policies, and its operator."""

    uri: str
    operator: Operator


@pytest.fixture(
    params=["ours", *(pytest.param(each, marks=pytest.mark.containers) for each in VERSIONS)], scope="module"
)
def bus(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bus]:
    """The broker of the suite; with `make containers` also one of each version."""
    environment: dict[str, str] = request.getfixturevalue("environment")
    if request.param == "ours":
        uri, management = request.getfixturevalue("amqp_uri"), request.getfixturevalue("management_uri")
        yield Bus(uri, Operator(environment | {"AMQP_MANAGEMENT_URI": management}))
        return
    with container(f"rabbitmq:{request.param}-management", tmp_path_factory.mktemp("broker")) as (port, management):
        uri = f"amqp://operator:{PASSWORD}@127.0.0.1:{port}/%2F"
        told = {"AMQP_URI": uri, "AMQP_MANAGEMENT_URI": f"http://127.0.0.1:{management}"}
        yield Bus(uri, Operator(environment | told))


@contextmanager
def container(image: str, folder: Path) -> Iterator[tuple[int, int]]:
    """A node with what `make secrets` and docker-compose.yml give it; its ports on this machine."""
    if shutil.which("docker") is None or not docker("info", check=False):
        pytest.skip("no container engine answers")
    if not docker("image", "inspect", image, check=False) and not docker("pull", "--quiet", image, check=False):
        pytest.skip(f"the image {image} cannot be had")
    known = folder / "definitions.json"
    known.write_text(json.dumps(definitions({"operator": PASSWORD}) | RIGHTS))
    known.chmod(0o444)
    ports = private.free_ports(2)
    name = f"hearth-limits-{secrets.token_hex(4)}"
    mounts = (f"{known}:/run/secrets/rabbitmq_definitions.json:ro", f"{CONF}:/etc/rabbitmq/conf.d/90-hearth.conf:ro")
    options = [each for mount in mounts for each in ("--volume", mount)]
    options += [
        each for port, own in zip(ports, (5672, 15672), strict=True) for each in ("-p", f"127.0.0.1:{port}:{own}")
    ]
    docker("run", "--detach", "--rm", "--name", name, "--hostname", "rabbitmq", *options, image)
    try:
        until(lambda: answers(f"amqp://operator:{PASSWORD}@127.0.0.1:{ports[0]}/%2F"), UP_WITHIN)
        yield ports[0], ports[1]
    finally:
        docker("rm", "--force", name)


def docker(*command: str, check: bool = True) -> str:
    done = subprocess.run(["docker", *command], capture_output=True, text=True, timeout=600, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout or "done" if done.returncode == 0 else ""


def answers(uri: str) -> bool:
    try:
        connection(uri).close()
    except (OSError, amqp.AMQPError):
        return False
    return True


@pytest.fixture
def partner(bus: Bus) -> Iterator[dict[str, Any]]:
    """A partner that may hear of events, one of which waits for it."""
    with closing(connection(bus.uri)) as opened:
        declare_exchanges(opened.channel())
    made = bus.operator.json("partner", "add", f"board-{secrets.token_hex(4)}", "--messages", "events.*")
    say(bus.uri, "community", "events.published")
    yield made
    bus.operator.hub("partner", "remove", made["name"])


def say(uri: str, exchange: str, key: str, body: bytes = b"{}") -> None:
    with closing(connection(uri)) as opened:
        opened.channel().basic_publish_confirm(amqp.Message(body, delivery_mode=2), exchange, key)


def rejected(uri: str, queue: str, times: int) -> None:
    """Takes a message and gives it back, again and again, by one connection."""
    with closing(connection(uri)) as opened:
        channel = opened.channel()
        for _ in range(times):
            channel.basic_reject(until(lambda: channel.basic_get(queue)).delivery_tag, requeue=True)


def lost(uri: str, queue: str, times: int) -> None:
    """Takes a message and crashes, again and again."""
    for _ in range(times):
        opened = connection(uri)
        until(partial(opened.channel().basic_get, queue))
        opened.collect()


def abandoned(uri: str, queue: str, times: int) -> None:
    """Consumes a message and closes the channel, again and again."""
    with closing(connection(uri)) as opened:
        for _ in range(times):
            taken: list[amqp.Message] = []
            channel = opened.channel()
            channel.basic_consume(queue, callback=taken.append)
            deadline = time.monotonic() + 20
            while not taken:
                assert time.monotonic() < deadline, "it never came again"
                with suppress(TimeoutError):
                    opened.drain_events(timeout=1)
            channel.close()


WAYS = pytest.mark.parametrize("give_back", [rejected, lost, abandoned])


@WAYS
def test_what_a_partner_gives_back_comes_again(
    bus: Bus, partner: dict[str, Any], give_back: Callable[[str, str, int], None]
) -> None:
    give_back(partner["uri"], partner["queue"], TIMES)
    with closing(connection(partner["uri"])) as opened:
        channel = opened.channel()
        channel.basic_ack(until(lambda: channel.basic_get(partner["queue"])).delivery_tag)
    with closing(connection(bus.uri)) as opened:
        assert waiting(opened.channel(), partner["queue"]) == 0


def test_what_comes_again_and_again_keeps_nothing_else_back(bus: Bus, partner: dict[str, Any]) -> None:
    for number in range(5):
        say(bus.uri, "community", "events.published", b"%d" % number)
    seen: set[bytes] = set()
    with closing(connection(partner["uri"])) as opened:
        channel = opened.channel()
        channel.basic_qos(0, 2, False)

        def take(message: amqp.Message) -> None:
            body = message.body if isinstance(message.body, bytes) else message.body.encode()
            seen.add(body)
            if body == b"{}":
                channel.basic_reject(message.delivery_tag, requeue=True)
            else:
                channel.basic_ack(message.delivery_tag)

        channel.basic_consume(partner["queue"], callback=take)
        deadline = time.monotonic() + 20
        while len(seen) < 6:
            assert time.monotonic() < deadline, seen
            with suppress(TimeoutError):
                opened.drain_events(timeout=1)


@pytest.fixture
def channel(bus: Bus) -> Iterator[amqp.Channel]:
    """A channel of the operator. The queues of unheard and dead messages are emptied before and after."""
    with closing(connection(bus.uri)) as opened:
        made = opened.channel()
        declare_exchanges(made)
        for queue in KEPT:
            made.queue_purge(queue)
        yield made
        for queue in KEPT:
            made.queue_purge(queue)


def waiting(channel: amqp.Channel, queue: str) -> int:
    return int(channel.queue_declare(queue, passive=True).message_count)


@pytest.mark.parametrize(("queue", "exchange"), KEPT.items())
def test_what_was_put_aside_is_kept_however_often_it_is_looked_at(
    bus: Bus, channel: amqp.Channel, queue: str, exchange: str
) -> None:
    say(bus.uri, exchange, f"nobody.{secrets.token_hex(4)}")
    rejected(bus.uri, queue, TIMES)
    assert until(lambda: waiting(channel, queue)) == 1


def test_what_a_handler_gives_back_too_often_is_parked(bus: Bus, channel: amqp.Channel) -> None:
    queue = f"members.limits.{secrets.token_hex(4)}"
    channel.queue_declare(queue, durable=True, auto_delete=False, arguments=QUORUM)
    say(bus.uri, "", queue)
    rejected(bus.uri, queue, 51)
    assert until(lambda: waiting(channel, "dead")) == 1
    assert channel.queue_delete(queue) == 0


def test_every_queue_has_one_policy_that_says_how_often_a_message_comes_again() -> None:
    names = [*(each["name"] for each in rights()["queues"]), "ext.noticeboard"]
    for name in names:
        fits = [each for each in POLICIES if each["apply-to"] == "queues" and re.search(each["pattern"], name)]
        assert len(fits) == 1, f"{name}: {[each['name'] for each in fits]}"
        assert fits[0]["definition"]["delivery-limit"] >= 50, name


def test_every_node_is_told_what_differs_from_version_to_version(tmp_path: Path) -> None:
    broker = Broker(tmp_path)
    broker.prepare()
    production = yaml.safe_load((ROOT / "deploy/kubernetes/production/broker.yaml").read_text())
    told = {
        "on one machine": (tmp_path / "broker" / "rabbitmq.conf").read_text(),
        "in containers": CONF.read_text(),
        "small": (ROOT / "deploy/kubernetes/small/rabbitmq.conf").read_text(),
        "production": production["spec"]["rabbitmq"]["additionalConfig"],
    }
    for where, lines in told.items():
        named = dict(line.split(" = ") for line in lines.splitlines() if " = " in line)
        assert named["consumer_timeout"] == "1800000", where
        assert named["max_message_size"] == "16777216", where
        assert any(name.startswith("vm_memory_high_watermark.") for name in named), where
        assert any(name.startswith("disk_free_limit.") for name in named), where
