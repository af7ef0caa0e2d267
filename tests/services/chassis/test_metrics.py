"""A service's metrics while the bus fails."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import amqp
import orjson
import pymongo
import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from services.contracts.catalogue import CONTENT_TYPE
from services.contracts.messages.feedback import FEEDBACK_MOVED
from tests.rig.processes import Processes, free_port, until
from tests.rig.proxy import Proxy
from tests.rig.wire import connection, submitted

Count = Callable[..., float | None]


@pytest.fixture
def proxy(amqp_uri: str) -> Iterator[Proxy]:
    with Proxy(amqp_uri) as between:
        yield between


@pytest.fixture
def count(processes: Processes, proxy: Proxy) -> Count:
    """Numbers of a probe whose broker is behind the proxy."""
    port = free_port()
    processes.start("probe", "-m", "tests.services.chassis.probe", METRICS_PORT=str(port), AMQP_URI=proxy.uri)
    processes.until("probe", "serving")

    def value(sample: str, **labels: str) -> float | None:
        text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
        samples = (each for family in text_string_to_metric_families(text) for each in family.samples)
        return next((each.value for each in samples if (each.name, each.labels) == (sample, labels)), None)

    return value


def test_the_outbox_tells_how_old_it_is(count: Count, proxy: Proxy, environment: dict[str, str]) -> None:
    id = str(uuid.uuid4())
    event = submitted("", id=id, type=FEEDBACK_MOVED.key, data=FEEDBACK_MOVED.example)
    event["time"] = "2020-01-01T00:00:00.000Z"  # as old as it says it is not
    proxy.refusing = True
    proxy.cut()
    with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"]) as client:
        things = client[environment["MONGO_DATABASE_PREFIX"] + "feedback"].things
        things.delete_many({})  # rows that other tests left there
        things.insert_one({"_id": id, "unsent": True, "outbox": [event]})
        first = until(lambda: count("hearth_outbox_oldest_seconds", collection="things"))
        until(lambda: (count("hearth_outbox_oldest_seconds", collection="things") or 0) > first)
        assert first < 60
        assert count("hearth_outbox_unsent", collection="things") == 1
        proxy.refusing = False
        until(lambda: "outbox" not in (things.find_one({"_id": id}) or {}))
        until(lambda: count("hearth_outbox_oldest_seconds", collection="things") == 0)
        things.delete_one({"_id": id})


def test_retries_and_queues_are_counted_and_what_is_not_seen_is_not_told(
    count: Count, proxy: Proxy, amqp_uri: str
) -> None:
    queue = "feedback.probe.hear"
    opened = connection(amqp_uri)
    message = amqp.Message(orjson.dumps(submitted("later 2")), content_type=CONTENT_TYPE, delivery_mode=2)
    opened.channel().basic_publish(message, "", queue)
    until(lambda: count("hearth_message_retries_total", queue=queue) == 1)
    until(lambda: count("hearth_message_seconds_count", queue=queue, outcome="ok") == 1)
    assert count("hearth_message_parked_total", queue=queue) == 0
    until(lambda: count("hearth_queue_consumers", queue=queue) == 1)
    assert count("hearth_queue_messages", queue="dead") is not None
    proxy.refusing = True
    proxy.cut()
    until(lambda: count("hearth_queue_consumers", queue=queue) is None, 30)
    proxy.refusing = False
    until(lambda: count("hearth_queue_consumers", queue=queue) == 1, 60)
    opened.close()
