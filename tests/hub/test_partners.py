"""Partners on the bus: they read what they were given, and the broker refuses them everything else."""

import re
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import amqp
import orjson
import pytest
import requests

import services.contracts.messages  # noqa: F401 - declares them
from services.contracts.catalogue import CATALOGUE, EXCHANGE
from tests.hub.operator import Operator
from tests.rig.processes import until
from tests.rig.wire import connection, submitted

OURS = {"community": "topic", "private": "topic", "nameko-rpc": "topic", "dead": "fanout"}
SPARE = "tests.spare"
QUORUM = {"x-queue-type": "quorum"}


@pytest.fixture(scope="module")
def operator(environment: dict[str, str], management_uri: str) -> Operator:
    return Operator(environment | {"AMQP_MANAGEMENT_URI": management_uri})


@pytest.fixture
def bus(amqp_uri: str) -> Iterator[amqp.Channel]:
    """A channel with a service's rights, on a broker with the platform's exchanges."""
    made = connection(amqp_uri)
    channel = made.channel()
    for name, kind in (OURS | {SPARE: "topic"}).items():
        channel.exchange_declare(name, kind, durable=True, auto_delete=False)
    channel.queue_declare("dead", durable=True, auto_delete=False, arguments=QUORUM)
    yield channel
    channel.exchange_delete(SPARE)
    channel.queue_purge("dead")
    made.close()


@pytest.fixture
def add(operator: Operator, bus: amqp.Channel) -> Iterator[Callable[..., dict[str, Any]]]:
    """Makes partners for one test."""
    names: list[str] = []

    def make(*patterns: str) -> dict[str, Any]:
        names.append(f"noticeboard-{secrets.token_hex(4)}")
        options = [each for pattern in patterns for each in ("--messages", pattern)]
        return dict(operator.json("partner", "add", names[-1], *options))

    yield make
    for name in names:
        operator.ended(operator.start("partner", "remove", name), code=None)


def announce(bus: amqp.Channel, key: str, text: str = "I need a lamp.") -> None:
    body = orjson.dumps(submitted(text, type=key))
    bus.basic_publish_confirm(amqp.Message(body, delivery_mode=2), "community", key)


def heard(uri: str, queue: str, count: int) -> list[str]:
    """The types of the messages in a queue, once there are so many."""
    made = connection(uri)
    channel = made.channel()
    found = [until(lambda: channel.basic_get(queue, no_ack=True)) for _ in range(count)]
    assert channel.basic_get(queue) is None
    made.close()
    return [orjson.loads(each.body)["type"] for each in found]


def test_a_partner_hears_what_it_was_given_and_nothing_else(add: Callable[..., Any], bus: amqp.Channel) -> None:
    some, other = add("events.*", "members.joined"), add("feedback.#")
    for key in ("feedback.submitted", "events.published", "members.changed", "members.joined", "events.cancelled"):
        announce(bus, key)
    public = [key for key, message in CATALOGUE.items() if message.exchange == EXCHANGE]
    assert some["messages"] == sorted(key for key in public if key.startswith("events.") or key == "members.joined")
    assert heard(some["uri"], some["queue"], 3) == ["events.published", "members.joined", "events.cancelled"]
    assert heard(other["uri"], other["queue"], 1) == ["feedback.submitted"]


OWN, OTHER = "its own", "another's"  # queue
DURABLE = {"durable": True, "auto_delete": False}
DEEDS: list[tuple[str, dict[str, Any]]] = [
    *(
        ("basic_publish_confirm", {"msg": amqp.Message(b"{}"), "exchange": exchange, "routing_key": OTHER})
        for exchange in ("", *OURS)
    ),
    ("queue_declare", {"queue": SPARE, "exclusive": True}),
    ("queue_declare", {"queue": OWN, "arguments": QUORUM, **DURABLE}),
    ("queue_declare", {"queue": "", "exclusive": True}),
    ("exchange_declare", {"exchange": SPARE, "type": "topic", **DURABLE}),
    ("queue_bind", {"queue": OWN, "exchange": "community", "routing_key": "#"}),
    ("queue_bind", {"queue": OWN, "exchange": "private", "routing_key": "#"}),
    ("queue_bind", {"queue": OWN, "exchange": "nameko-rpc", "routing_key": "members.accounts.*"}),
    ("queue_unbind", {"queue": OWN, "exchange": "community", "routing_key": "events.*"}),
    ("exchange_bind", {"destination": SPARE, "source": "community", "routing_key": "#"}),
    ("basic_get", {"queue": OTHER}),
    ("basic_consume", {"queue": OTHER}),
    ("basic_consume", {"queue": "dead"}),
    ("queue_purge", {"queue": OTHER}),
    ("queue_delete", {"queue": OTHER}),
    ("queue_delete", {"queue": OWN}),
    ("exchange_delete", {"exchange": SPARE}),
]


def test_the_broker_refuses_a_partner_everything_else(
    add: Callable[..., Any], bus: amqp.Channel, amqp_uri: str
) -> None:
    own, other = add("events.*"), add("feedback.*")
    queues = {OWN: own["queue"], OTHER: other["queue"]}
    deeds = [(name, {key: queues.get(str(what), what) for key, what in given.items()}) for name, given in DEEDS]
    for name, given in deeds:
        made = connection(own["uri"])
        with pytest.raises(amqp.AccessRefused):
            pytest.fail(f"a partner may {name} {given}: {getattr(made.channel(), name)(**given)}")
        made.close()
    made = connection(amqp_uri)
    for name, given in deeds:  # each can be done at all
        with made.channel() as channel:
            getattr(channel, name)(**given)
    made.close()


def test_a_partner_has_no_other_virtual_host(add: Callable[..., Any]) -> None:
    with pytest.raises(amqp.AMQPError):
        connection(f"{add('events.*')['uri']}elsewhere")


def test_a_partner_has_limits(add: Callable[..., Any]) -> None:
    partner = add("events.*")
    first, *others = [connection(partner["uri"]) for _ in range(5)]
    with pytest.raises((amqp.AMQPError, OSError)):
        connection(partner["uri"])
    for each in others:
        each.close()
    channels = [first.channel() for _ in range(20)]
    with pytest.raises((amqp.AMQPError, OSError)):
        first.channel()
    assert len(channels) == 20


def test_who_is_removed_is_out_at_once(add: Callable[..., Any], operator: Operator, bus: amqp.Channel) -> None:
    partner = add("events.*")
    announce(bus, "events.published")
    made = connection(partner["uri"])
    said = operator.hub("partner", "remove", partner["name"])
    assert said == f"{partner['name']} may hear no more; 1 message waited for it.\n"
    with pytest.raises(amqp.ConnectionForced):
        made.drain_events(timeout=20)
    with pytest.raises(amqp.AccessRefused):
        connection(partner["uri"])
    with pytest.raises(amqp.NotFound):
        bus.queue_declare(partner["queue"], passive=True)
    assert "There is no partner" in operator.hub("partner", "remove", partner["name"], code=1)


def test_partners_are_listed(add: Callable[..., Any], operator: Operator, bus: amqp.Channel) -> None:
    partner = add("events.*", "feedback.moved")
    announce(bus, "events.published")

    def row() -> dict[str, Any]:
        return next(dict(each) for each in operator.json("partner", "list") if each["name"] == partner["name"])

    until(lambda: row()["ready"] == 1)
    assert (row()["consumers"], sorted(row()["patterns"])) == (0, ["events.*", "feedback.moved"])
    said = operator.hub("partner", "list")
    assert partner["name"] in said
    assert partner["uri"] not in said


@pytest.mark.parametrize(
    ("name", "pattern", "says"),
    [
        ("Noticeboard", "events.*", "A partner's name has 2 to 40"),
        ("a b", "events.*", "A partner's name has 2 to 40"),
        ("board", "gateway.*", "gateway.* is for the platform alone. There are events.cancelled, "),
        ("board", "event.*", "event.* is no message. These are like it: events."),
        ("board", "events", "events is no message"),
        ("board", "events.*.#.x", "is no message"),
        ("board", "", "is no message"),
    ],
)
def test_what_cannot_be_heard_is_refused(
    operator: Operator, bus: amqp.Channel, name: str, pattern: str, says: str
) -> None:
    arguments = ("--messages", "feedback.*", "--messages", pattern)
    assert says in operator.hub("partner", "add", name, *arguments, code=1)
    assert name not in [each["name"] for each in operator.json("partner", "list")]


def test_whether_a_partner_sees_how_much_waits_elsewhere_is_up_to_the_broker(
    add: Callable[..., Any], bus: amqp.Channel
) -> None:
    """RabbitMQ asks for a right since 4.2.6. Before, whoever knows the name of a queue may ask how much waits there."""
    made = connection(add("events.*")["uri"])
    version = tuple(int(each) for each in made.server_properties["version"].split(".")[:3])
    asked = made.channel()
    if version >= (4, 2, 6):
        with pytest.raises(amqp.AccessRefused):
            asked.queue_declare("dead", passive=True)
    else:
        assert asked.queue_declare("dead", passive=True).message_count == 0
    made.close()


@pytest.mark.parametrize("command", [["doctor"], ["queues"], ["tail"], ["dead", "list"]])
def test_an_operator_with_a_partners_address_is_told_so(
    add: Callable[..., Any], operator: Operator, command: list[str]
) -> None:
    partner = add("events.*")
    said = operator.hub(*command, code=1, AMQP_URI=partner["uri"])
    assert f"that of the partner {partner['queue']}, who may read a queue of its own and no more." in said
    assert "unset it: hub then looks at the platform of this checkout." in said
    assert partner["uri"] not in said


def test_who_may_not_look_after_the_bus_is_told_as_whom_they_asked(
    add: Callable[..., Any], operator: Operator, management_uri: str, amqp_uri: str
) -> None:
    name, password = f"cleaner-{secrets.token_hex(4)}", secrets.token_urlsafe(12)
    ours = urlsplit(amqp_uri)
    api = f"{management_uri}/api"
    rights = {"configure": "^$", "write": "^$", "read": ".*"}
    identity = (unquote(ours.username or ""), unquote(ours.password or ""))
    requests.put(f"{api}/users/{name}", json={"password": password, "tags": ""}, auth=identity, timeout=5)
    requests.put(f"{api}/permissions/%2F/{name}", json=rights, auth=identity, timeout=5)
    uri = ours._replace(netloc=f"{name}:{password}@{ours.netloc.rpartition('@')[2]}").geturl()
    said = operator.hub("tail", code=1, AMQP_URI=uri)
    assert f"refuses this to {name}, whose address AMQP_URI is (" in said
    assert password not in said
    requests.delete(f"{api}/users/{name}", auth=identity, timeout=5)


def test_nobody_takes_the_place_of_a_partner(add: Callable[..., Any], operator: Operator) -> None:
    partner = add("events.*")
    said = operator.hub("partner", "add", partner["name"], "--messages", "#", code=1)
    assert f"There is a partner {partner['name']} already." in said
    connection(partner["uri"]).close()


def test_what_failed_half_way_leaves_nothing(operator: Operator, bus: amqp.Channel, tmp_path: Path) -> None:
    nowhere = {"AMQP_MANAGEMENT_URI": "http://127.0.0.1:1"}
    assert "no answer at" in operator.hub("partner", "add", "board", "--messages", "#", code=1, **nowhere)
    with pytest.raises(amqp.NotFound):
        bus.queue_declare("ext.board", passive=True)


def test_the_recipe_works_as_it_is_printed(operator: Operator, bus: amqp.Channel) -> None:
    said = operator.hub("partner", "add", "recipe", "--messages", "feedback.*")
    assert not re.search(r"^(?!export ).*\$\{?AMQP_URI", said, re.MULTILINE), "a command line shows the password"
    try:
        (settings,) = re.findall(r"^export .*$", said, re.MULTILINE)
        (command,) = re.findall(r"^python3 .*?(?=^\n|\Z)", said, re.MULTILINE | re.DOTALL)
        script = f"{settings}\nexec {command.replace('python3', sys.executable)}"
        process = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True)
        try:
            announce(bus, "feedback.submitted", "I need a quiet room.")
            assert process.stdout is not None
            seen = ""
            deadline = time.monotonic() + 20
            while "}}" not in seen:
                assert time.monotonic() < deadline
                seen += process.stdout.read(1)
            assert orjson.loads(seen)["data"]["text"] == "I need a quiet room."
        finally:
            process.kill()
            process.wait(10)
    finally:
        operator.hub("partner", "remove", "recipe")
