"""One trace leads from a request over all processes to the inbox. No trace leads back from an anonymous voice."""

import secrets
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pymongo
import pytest

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra `otel` is not installed")

from tests.rig.collector import Collector, Seen
from tests.rig.processes import Platform
from tests.rig.wire import Listener

SENT = "send feedback.submitted"
TOLD = "process notifications.fanout.tell_the_administrators"


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with Collector() as listening:
        yield listening


@pytest.fixture(scope="module")
def traced(
    environment: dict[str, str], collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    """A platform that sends its spans to the collector."""
    told = {"OTEL_BSP_SCHEDULE_DELAY": "1000", "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint}
    with Platform.running(environment | told, tmp_path_factory.mktemp("traced")) as running:
        yield running


def test_one_trace_leads_from_the_request_to_the_inbox(traced: Platform, collector: Collector, amqp_uri: str) -> None:
    author, trace, asking = traced.join("Amara"), secrets.token_hex(16), secrets.token_hex(8)
    listener = Listener(amqp_uri, "feedback.*")
    headers = {"traceparent": f"00-{trace}-{asking}-01", "X-Request-ID": "traced-1"}
    author.post("/v1/feedback", {"text": "I need a lamp."}, headers=headers)
    traced.administrator.inbox(1)
    (message,) = listener.wait(1)
    assert message["traceparent"].split("-")[1] == trace

    def way(seen: list[Seen]) -> list[Seen]:
        """From the last span to the first, once all are there."""
        spans = {each.id: each for each in seen if each.trace == trace}
        found = [each for each in spans.values() if each.name == "send notifications.delivered"]
        while found and found[-1].parent in spans:
            found.append(spans[found[-1].parent])
        return found if found and found[-1].parent == asking else []

    steps: list[Seen] = collector.until(way)
    assert [(each.process, each.name) for each in steps] == [
        ("notifications", "send notifications.delivered"),
        ("notifications", TOLD),
        ("feedback", "feedback.voices.submit"),
        ("gateway", "feedback.voices.submit"),
        ("gateway", "POST /v1/feedback"),
    ]
    (sent,) = collector.until(lambda seen: [each for each in seen if (each.trace, each.name) == (trace, SENT)])
    assert sent.parent == steps[2].id
    asked = steps[-1]
    assert asked.facts["http.response.status_code"] == 201
    assert asked.facts["hearth.correlation_id"] == "traced-1"
    assert author.id not in str(collector.seen)
    listener.close()


def test_of_an_anonymous_voice_no_trace_leads_to_the_request(
    traced: Platform, collector: Collector, amqp_uri: str
) -> None:
    author, trace = traced.join("Amara"), secrets.token_hex(16)
    listener = Listener(amqp_uri, "#")
    before = len(traced.administrator.get("/v1/notifications?limit=100")["items"])
    headers = {"traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"}
    voice = author.post("/v1/feedback", {"text": "It smells.", "anonymous": True}, headers=headers)
    (told, *_) = traced.administrator.inbox(before + 1)
    assert told["link"].endswith(voice["id"])
    handled = collector.until(lambda seen: [each for each in seen if each.name == TOLD and not each.parent])
    assert handled
    asked = collector.until(lambda seen: [each for each in seen if (each.trace, each.process) == (trace, "feedback")])
    assert [each.name for each in asked] == ["feedback.voices.submit"], "and nothing that came of it"
    known = {"gateway", "feedback"}
    collector.until(lambda seen: {each.process for each in seen if each.trace == trace} >= known)
    assert {each.process for each in collector.seen if each.trace == trace} == known
    assert voice["id"] not in str(collector.seen)
    listener.drain(1)
    assert trace not in str(listener.heard)
    (announced,) = [each for each in listener.heard if each["type"] == "feedback.submitted"]
    assert "traceparent" not in announced
    environment = traced.processes.environment
    with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"]) as client:
        for name in ("feedback", "notifications"):
            database = client[environment["MONGO_DATABASE_PREFIX"] + name]
            for collection in database.list_collection_names():
                assert trace not in str(list(database[collection].find()))
    listener.close()


def test_a_refusal_is_no_fault_and_each_request_on_a_connection_has_its_own_trace(
    traced: Platform, collector: Collector
) -> None:
    member = traced.join("Olga")
    for _ in range(2):
        member.ask("GET", "/v1/feedback/00000000-0000-7000-8000-000000000000", 404)
    name = "GET /v1/feedback/<id:voice_id>"
    spans = collector.until(lambda seen: (found := [each for each in seen if each.name == name])[1:] and found)
    assert len({each.trace for each in spans}) == 2
    assert not any(each.failed or each.parent for each in spans)


def test_what_was_done_last_is_told_before_a_process_stops(traced: Platform, collector: Collector) -> None:
    member, trace = traced.join("Olga"), secrets.token_hex(16)
    headers = {"traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"}
    with traced.other_door() as url:
        member.at(url).get("/v1/me")
        member.at(url).ask("GET", "/v1/me", headers=headers)
    assert [each for each in collector.seen if (each.trace, each.name) == (trace, "GET /v1/me")]


def test_nobody_waits_for_a_collector_that_is_away_or_frozen(traced: Platform, collector: Collector) -> None:
    author, administrator = traced.join("Amara"), traced.join("Second", ("administrator",))
    with collector.away():
        for number in range(10):
            author.post("/v1/feedback", {"text": f"number {number}"})
        administrator.inbox(10)
        traced.processes.until("feedback", "export")
        with socket.create_server(("127.0.0.1", urlsplit(collector.endpoint).port)):  # and accepts nobody
            for number in range(10):
                author.post("/v1/feedback", {"text": f"number {number}"})
            administrator.inbox(20)
            for name in ("gateway", "feedback"):
                assert traced.processes.end(name) == 0, "a process stops while it has something to tell"
    assert "still busy" not in traced.processes.log("feedback")
