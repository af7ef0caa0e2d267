"""The private broker and store, started for real."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pika
import pymongo
import pytest
from pika.exceptions import ProbableAuthenticationError

from deploy.local import CannotRun, private
from deploy.local.broker import Broker
from deploy.local.output import Files
from deploy.local.platform import ROOT, Platform
from deploy.local.program import Ledger
from deploy.local.store import Store
from deploy.local.supervisor import Supervisor

pytestmark = pytest.mark.own_servers
QUORUM = {"x-queue-type": "quorum"}


@contextlib.contextmanager
def running(base: Path, server: Broker | Store) -> Iterator[None]:
    supervisor = Supervisor(base, Ledger(base), Files(base / "logs"))
    server.prepare()
    try:
        supervisor.start(server.programs())
        supervisor.until(lambda: "" if server.answers() else server.name, within=60)
        yield
    finally:
        supervisor.end()


def eventually(true: Callable[[], bool], within: float = 10.0) -> bool:
    deadline = time.monotonic() + within
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def ready(channel: pika.adapters.blocking_connection.BlockingChannel, queue: str) -> int:
    return int(channel.queue_declare(queue, passive=True).method.message_count)


def test_the_broker_keeps_its_messages_has_the_policies_and_leaves_nothing_running(tmp_path: Path) -> None:
    broker = Broker(tmp_path)
    with running(tmp_path, broker):
        first_uri = broker.uri
        with contextlib.closing(pika.BlockingConnection(pika.URLParameters(broker.uri))) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            channel.exchange_declare("dead", "fanout", durable=True)
            channel.queue_declare("dead", durable=True, arguments=QUORUM)
            channel.queue_bind("dead", "dead")
            channel.queue_declare("members.accounts.hears", durable=True, arguments=QUORUM)
            lasting = pika.BasicProperties(delivery_mode=2)
            for body in (b"kept", b"poison"):
                channel.basic_publish("", "members.accounts.hears", body, lasting)
            # The policy, not an argument of the queue, names where refused messages go.
            assert eventually(lambda: ready(channel, "members.accounts.hears") == 2)
            kept, _, _ = channel.basic_get("members.accounts.hears")
            poison, _, _ = channel.basic_get("members.accounts.hears")
            channel.basic_nack(poison.delivery_tag, requeue=False)
            assert eventually(lambda: ready(channel, "dead") == 1)
            channel.basic_nack(kept.delivery_tag, requeue=True)

        guest = pika.URLParameters(first_uri.replace(first_uri.split("//")[1].split("@")[0], "guest:guest"))
        with pytest.raises(ProbableAuthenticationError):
            pika.BlockingConnection(guest)

    memory = private.read_json(tmp_path / "broker" / "settings.json")
    assert all(private.is_free(memory[port]) for port in ("port", "distribution_port", "epmd_port"))

    broker = Broker(tmp_path)
    with running(tmp_path, broker):
        assert broker.uri == first_uri
        with contextlib.closing(pika.BlockingConnection(pika.URLParameters(broker.uri))) as connection:
            assert eventually(lambda: ready(connection.channel(), "members.accounts.hears") == 1)


def test_the_store_keeps_its_documents_and_moves_when_its_port_is_taken(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with running(tmp_path, store):
        first_uri = store.uri
        with pymongo.MongoClient[dict[str, int]](store.uri) as client:
            client["hearth"]["kept"].insert_one({"_id": 1})
            stranger = Store(tmp_path)
            stranger.prepare()
            assert stranger.uri != first_uri

    with running(tmp_path, store), pymongo.MongoClient[dict[str, int]](store.uri) as client:
        assert client["hearth"]["kept"].find_one() == {"_id": 1}


def test_nobody_answers_before_the_start(tmp_path: Path) -> None:
    for server in (Broker(tmp_path), Store(tmp_path)):
        server.prepare()
        assert not server.answers()


def test_the_store_can_run_alone_and_keeps_what_it_gets(tmp_path: Path) -> None:
    platform = Platform(tmp_path, ROOT / "deploy" / "local" / "Procfile")
    with platform.store_alone() as uri, pymongo.MongoClient[dict[str, Any]](uri) as client:
        client.things.kept.insert_one({"_id": 1})
        assert platform.runs
        with pytest.raises(CannotRun, match="Hearth starts or stops just now"), platform.store_alone():
            pass
    assert not platform.runs
    with platform.store_alone() as uri, pymongo.MongoClient[dict[str, Any]](uri) as client:
        assert client.things.kept.find_one() == {"_id": 1}


@pytest.mark.parametrize("after", [0.1, 0.3, 0.6])
def test_a_broker_that_is_told_to_end_while_it_begins_ends_by_itself_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], after: float
) -> None:
    broker, ledger = Broker(tmp_path), Ledger(tmp_path)
    supervisor = Supervisor(tmp_path, ledger, Files(tmp_path / "logs"))
    broker.prepare()
    supervisor.start(broker.programs())
    time.sleep(after)
    supervisor.end()
    assert "killed" not in capsys.readouterr().out
    memory = private.read_json(tmp_path / "broker" / "settings.json")
    assert all(private.is_free(memory[port]) for port in ("port", "distribution_port", "epmd_port"))
    assert ledger.everything() == []
