"""The rights of each user of the bus, on a broker that is set up as for containers."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import amqp
import pytest

from deploy.capabilities import capabilities
from deploy.local.broker import Broker
from deploy.local.output import Files
from deploy.local.platform import ROOT
from deploy.local.program import Ledger
from deploy.local.supervisor import Supervisor
from deploy.rights import rights
from deploy.secrets import BUS_USERS, SERVICES, amqp_uri, definitions
from services.chassis.bus import declare_exchanges
from services.chassis.bus.topology import declare_handler, declare_retries, retire_handler
from services.chassis.messaging import on
from services.contracts.calls.members import CALL_ROLL
from services.contracts.messages.feedback import FEEDBACK_SUBMITTED
from services.ground.settings import RETRY_DELAYS
from tests.rig.processes import Platform, Processes, until
from tests.rig.wire import connection

FORMER, PRESENT = "events.probe.hear", "events.probe.take_in"
PASSWORDS = {user: uuid.uuid4().hex for user in BUS_USERS}
Act = Callable[[amqp.Channel], Any]


class Renamed:
    """A capability whose handler had a queue of another name before."""

    name = "events.probe"

    @on(FEEDBACK_SUBMITTED, queue="take_in", retired=["hear"])
    def take_in(self) -> None:
        """Nothing."""


class Restricted(Broker):
    """A private node that knows the users of a platform in containers, and one capability more."""

    def _definitions(self) -> dict[str, Any]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("deploy.rights.capabilities", lambda: [*capabilities(), Renamed])
            return definitions(PASSWORDS) | rights()

    def answers(self) -> bool:
        try:
            connection(uri_of(self, "operator")).close()
        except (OSError, amqp.AMQPError):
            return False
        return True


def uri_of(broker: Broker, user: str) -> str:
    return amqp_uri(PASSWORDS, user, broker.uri.rpartition("@")[2].partition("/")[0])


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restricted]:
    base = tmp_path_factory.mktemp("restricted")
    made = Restricted(base)
    supervisor = Supervisor(ROOT, Ledger(base), Files(base / "logs"))
    made.prepare()
    try:
        supervisor.start(made.programs())
        supervisor.until(lambda: "" if made.answers() else made.name, within=60)
        yield made
    finally:
        supervisor.end()


@pytest.fixture(scope="module")
def restricted(
    broker: Restricted, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    """The whole platform, each part with its own user, with the delays that the rights count on."""
    own = {name: value for name, value in environment.items() if name != "RETRY_DELAYS"}
    own |= {"MONGO_DATABASE_PREFIX": f"test_{uuid.uuid4().hex[:8]}_", "AMQP_URI": uri_of(broker, "operator")}
    running = Platform(Processes(own, tmp_path_factory.mktemp("platform")))
    try:
        for name in SERVICES:
            running.processes.start(name, "-m", f"services.{name}", AMQP_URI=uri_of(broker, name))
        running.open_door("gateway", running.port, AMQP_URI=uri_of(broker, "gateway"))
        running.ready()
        running.administrator = running.make_administrator("root@hub.example")
        yield running
    finally:
        running.processes.stop()


def test_the_platform_works_with_them(restricted: Platform) -> None:
    amara = restricted.join("Amara")
    voice = amara.post("/v1/feedback", {"text": "I need a quiet room for calls."})
    assert any(voice["id"] in line["link"] for line in restricted.administrator.inbox(1))
    amara.get("/v1/audit", status=403)
    assert until(lambda: restricted.administrator.get("/v1/audit")["items"]), "the gateway's notes reach members"


def test_what_fails_is_tried_again_and_parked_with_them(restricted: Platform, broker: Restricted) -> None:
    with closing(connection(uri_of(broker, "operator"))) as opened:
        channel = opened.channel()
        channel.basic_publish(amqp.Message(b"no message"), "community", "members.changed")
        hearers = {f"{service}.people.learn_of_a_change" for service in ("events", "feedback", "notifications")}
        until(lambda: channel.queue_declare("dead", passive=True).message_count == len(hearers))
        dead = [channel.basic_get("dead", no_ack=True) for _ in hearers]
        assert {each.headers["x-hearth-queue"] for each in dead if each is not None} == hearers


def test_the_operator_has_declared_just_what_the_code_declares(broker: Restricted) -> None:
    with closing(connection(uri_of(broker, "operator"))) as opened:
        declare_exchanges(opened.channel())  # would raise PreconditionFailed
        declare_retries(opened.channel(), RETRY_DELAYS)


def test_a_former_queue_is_left_by_its_service(broker: Restricted) -> None:
    """The service did not create the queue, and may not create, bind, delete or purge any queue."""
    with closing(connection(uri_of(broker, "operator"))) as opened:
        declare_handler(opened.channel(), FORMER, FEEDBACK_SUBMITTED)
        with closing(connection(uri_of(broker, "events"))) as theirs:
            retire_handler(theirs.channel(), FORMER, FEEDBACK_SUBMITTED)
            retire_handler(theirs.channel(), FORMER, FEEDBACK_SUBMITTED)
        publish("community", FEEDBACK_SUBMITTED.key)(opened.channel())
        assert opened.channel().queue_declare(FORMER, passive=True).message_count == 0
        assert until(lambda: opened.channel().queue_declare(PRESENT, passive=True).message_count)
        opened.channel().queue_purge(PRESENT)


def publish(exchange: str, key: str) -> Act:
    def act(channel: amqp.Channel) -> None:
        channel.confirm_select()
        channel.basic_publish_confirm(amqp.Message(b"{}"), exchange, key, confirm_timeout=10)

    return act


def consume(queue: str) -> Act:
    return lambda channel: channel.basic_consume(queue, callback=lambda _message: None)


def declare_bound(queue: str, exchange: str, key: str) -> Act:
    def act(channel: amqp.Channel) -> None:
        channel.queue_declare(queue, exclusive=True)
        channel.queue_bind(queue, exchange, key)

    return act


FORBIDDEN: dict[str, tuple[str, Act]] = {
    "consume another's queue": ("feedback", consume("members.audit.keep")),
    "consume another's calls": ("feedback", consume("rpc-members.sessions")),
    "get one of another's messages": ("feedback", lambda channel: channel.basic_get("members.audit.keep")),
    "read the dead": ("notifications", consume("dead")),
    "read what nobody heard": ("events", consume("unheard")),
    "listen to everything": ("feedback", declare_bound("feedback.ear", "community", "#")),
    "listen to what is private": ("notifications", declare_bound("notifications.ear", "private", "#")),
    "overhear calls": ("feedback", declare_bound("feedback.ear", "nameko-rpc", "#")),
    "bind its own queue to more": (
        "members",
        lambda channel: channel.queue_bind("members.audit.keep", "community", "#"),
    ),
    "bind its former queue to more": ("events", lambda channel: channel.queue_bind(FORMER, "community", "members.#")),
    "leave a queue that it still has": (
        "events",
        lambda channel: channel.queue_unbind(PRESENT, "community", "feedback.submitted"),
    ),
    "announce for another": ("feedback", publish("community", "members.joined")),
    "announce what it does not": ("members", publish("community", "members.crowned")),
    "note for the audit log": ("feedback", publish("private", "gateway.noted")),
    "put a message into a queue": ("feedback", publish("", "members.audit.keep")),
    "put one there by way of a retry": ("feedback", publish("retry.5s.in", "members.audit.keep")),
    "put one back into another's queue": ("members", publish("retry.5s.in", "notifications.people.learn_of_a_change")),
    "call a sibling by way of a retry": ("notifications", publish("retry.5s.in", "rpc-members.accounts")),
    "call a sibling": ("feedback", publish("nameko-rpc", "members.accounts.list")),
    "lead an exchange of its own into ours": (
        "feedback",
        lambda channel: channel.exchange_declare("feedback.way", "fanout", auto_delete=False),
    ),
    "delete an exchange": ("members", lambda channel: channel.exchange_delete("community")),
    "delete its own queue": ("members", lambda channel: channel.queue_delete("members.audit.keep")),
    "purge another's queue": ("events", lambda channel: channel.queue_purge("members.audit.keep")),
    "announce at the gateway": ("gateway", publish("community", "members.joined")),
    "overhear calls at the gateway": ("gateway", declare_bound("gateway.ear", "nameko-rpc", "#")),
    "hear more at the gateway": ("gateway", declare_bound("gateway.ear", "community", "#")),
    "learn addresses at the gateway": ("gateway", declare_bound("gateway.ear", "private", "members.reach_changed")),
    "hear all that is private at the gateway": ("gateway", declare_bound("gateway.ear", "private", "#")),
    "call the roll of members at the gateway": ("gateway", publish("nameko-rpc", CALL_ROLL.target)),
    "make a capability tell all again at the gateway": ("gateway", publish("nameko-rpc", "members.accounts.replay")),
    "read a queue at the gateway": ("gateway", consume("members.audit.keep")),
}
ALLOWED: dict[str, tuple[str, Act]] = {
    "announce its own": ("feedback", publish("community", "feedback.moved")),
    "answer somebody": ("feedback", publish("nameko-rpc", f"gateway.{uuid.uuid4()}")),
    "answer other clients": ("feedback", publish("nameko-rpc", str(uuid.uuid4()))),
    "consume its own queue": ("members", consume("members.audit.keep")),
    "try again": ("members", publish("retry.5s.in", "members.audit.keep")),
    "park": ("members", publish("dead", "members.audit.keep")),
    "call at the gateway": ("gateway", publish("nameko-rpc", "members.accounts.ping")),
}


@pytest.mark.parametrize("deed", FORBIDDEN)
def test_nobody_may(broker: Restricted, deed: str) -> None:
    user, act = FORBIDDEN[deed]
    with closing(connection(uri_of(broker, user))) as opened, pytest.raises(amqp.AccessRefused):
        act(opened.channel())


@pytest.mark.parametrize("deed", ALLOWED)
def test_who_must_may(broker: Restricted, deed: str) -> None:
    user, act = ALLOWED[deed]
    with closing(connection(uri_of(broker, user))) as opened:
        act(opened.channel())
