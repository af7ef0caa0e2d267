"""Messages over a real broker, heard by a real process."""

import re
import time
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import amqp
import orjson
import pymongo
import pytest
from pymongo.collection import Collection

from services.chassis.outbox import WINDOW
from services.contracts.catalogue import CONTENT_TYPE
from services.contracts.messages.feedback import FEEDBACK_MOVED, FEEDBACK_SUBMITTED
from tests.rig.processes import Processes, until
from tests.rig.wire import Caller, Listener, announce, connection, publish, submitted
from tests.services.chassis.things import heard

Effects = Collection[dict[str, Any]]
QUEUE = "feedback.probe.hear"


@pytest.fixture(scope="module")
def channel(amqp_uri: str) -> Iterator[amqp.Channel]:
    made = connection(amqp_uri)
    yield made.channel()
    made.close()


def dead(channel: amqp.Channel, seconds: float = 15) -> amqp.Message:
    """The next dead letter."""
    return until(lambda: channel.basic_get("dead", no_ack=True), seconds)


def test_each_handler_has_its_own_effect(probe: Processes, channel: amqp.Channel, effects: Effects) -> None:
    id = announce(channel, "ok")
    until(lambda: heard(effects, id) and heard(effects, id, "hear_too"))
    row = effects.find_one({"handler": "hear", "message": id})
    assert row is not None
    assert row["sequence"] == 7
    assert row["voice"] == FEEDBACK_SUBMITTED.example["voice_id"]


def test_unknown_fields_and_attributes_are_ignored(probe: Processes, channel: amqp.Channel, effects: Effects) -> None:
    made = submitted("ok", someextension="x")
    made["data"]["a_field_of_tomorrow"] = {"deep": [1]}
    publish(channel, orjson.dumps(made))
    until(lambda: heard(effects, made["id"]))


def test_what_fails_for_now_is_tried_again(probe: Processes, channel: amqp.Channel, effects: Effects) -> None:
    begun = time.monotonic()
    id = announce(channel, "later 3")
    until(lambda: heard(effects, id))
    assert time.monotonic() - begun >= 3, "the delays were 1 s and 2 s"
    assert heard(effects, id) == 1
    assert heard(effects, id, "hear_too") == 1, "the other handler was not disturbed"


def test_what_never_works_is_parked_with_its_reason(probe: Processes, channel: amqp.Channel, effects: Effects) -> None:
    id = announce(channel, "never")
    letter = dead(channel)
    assert orjson.loads(letter.body)["id"] == id
    headers = letter.properties["application_headers"]
    assert headers["x-hearth-queue"] == QUEUE
    assert headers["x-hearth-attempt"] == 3
    assert re.fullmatch(r"RuntimeError at tests/services/chassis/probe.py:\d+ hear", headers["x-hearth-error"])
    assert heard(effects, id) == 0


@pytest.mark.parametrize(("at", "precise"), [("2026-11-02T00:00:00.000Z", False), ("2026-11-02T09:00:00.000Z", True)])
def test_of_what_tells_the_day_only_no_more_is_told_when_it_is_parked(
    probe: Processes, channel: amqp.Channel, at: str, precise: bool
) -> None:
    announce(channel, "no", time=at)
    parked_at = dead(channel).properties["application_headers"]["x-hearth-parked-at"]
    assert datetime.fromisoformat(parked_at).year >= 2026
    assert ("T" in parked_at) == precise


def test_the_reason_says_nothing_of_what_was_said(probe: Processes, channel: amqp.Channel) -> None:
    """pymongo's error holds the rows, in which the words of a voice may be."""
    words = f"words{uuid.uuid4().hex}"
    announce(channel, f"twice {words}")
    headers = dead(channel).properties["application_headers"]
    assert headers["x-hearth-error"].startswith("BulkWriteError 65 at tests/services/chassis/probe.py:")
    log = probe.until("probe", "parked")
    assert log.count("BulkWriteError 65") >= 3, "two tries, and the end of them"
    assert words not in log + str(headers)


def test_a_refusal_is_parked_at_once(probe: Processes, channel: amqp.Channel) -> None:
    id = announce(channel, "no")
    letter = dead(channel, seconds=2)
    assert orjson.loads(letter.body)["id"] == id
    assert letter.properties["application_headers"]["x-hearth-attempt"] == 1


@pytest.mark.parametrize(
    ("body", "properties"),
    [
        (b"", {}),
        (b"{not json", {}),
        (b"\xff\xfe\x00", {"content_type": "image/png"}),
        (b"[]", {}),
        (b"null", {}),
        (b'"text"', {"content_encoding": "utf-8"}),
        (b"[" * 10_000, {}),
        (orjson.dumps({"type": "feedback.submitted"}), {}),
        (orjson.dumps(submitted("ok", type="feedback.invented")), {}),
        (orjson.dumps(submitted("ok", type=["feedback.submitted"])), {}),
        (orjson.dumps(submitted("ok", data={"voice_id": 5})), {}),
        (orjson.dumps(submitted("ok", data=None)), {}),
        (orjson.dumps(submitted("ok", id={"$gt": ""})), {}),
        (orjson.dumps(submitted("ok", time="yesterday")), {}),
        (orjson.dumps(submitted("ok", time="0001-01-01T00:00:00+23:59")), {}),
        (orjson.dumps(submitted("ok", sequence="many")), {}),
        (orjson.dumps(submitted("ok", type="feedback.moved", data={})), {}),
        (b"x" * 5_000_000, {}),
    ],
)
def test_garbage_is_parked_and_nothing_else_suffers(
    probe: Processes, channel: amqp.Channel, effects: Effects, body: bytes, properties: dict[str, Any]
) -> None:
    publish(channel, body, exchange="", key=QUEUE, **properties)
    id = announce(channel, "ok")
    letter = dead(channel)
    raw = letter.body if isinstance(letter.body, bytes) else letter.body.encode()
    assert raw == body
    assert "Unreadable" in letter.properties["application_headers"]["x-hearth-error"]
    until(lambda: heard(effects, id))


def test_odd_headers_do_no_harm(probe: Processes, channel: amqp.Channel, effects: Effects) -> None:
    made = submitted("ok")
    headers = {"nameko.call_id_stack": 5, "x-hearth-attempt": "many", "x-death": [{"count": "x"}], "n": None}
    publish(channel, orjson.dumps(made), exchange="", key=QUEUE, application_headers=headers)
    until(lambda: heard(effects, made["id"]))


def test_a_crash_in_the_middle_is_made_good_by_the_next_process(
    environment: dict[str, str], processes: Processes, channel: amqp.Channel, effects: Effects, probe: Processes
) -> None:
    probe.kill("probe")
    ids = [announce(channel, "slow 0.3") for _ in range(20)]
    processes.start("first", "-m", "tests.services.chassis.probe")
    processes.until("first", "serving")
    until(lambda: effects.count_documents({"handler": "hear", "message": {"$in": ids}}) >= 3)
    processes.kill("first")
    probe.start("probe", "-m", "tests.services.chassis.probe")
    until(lambda: all(heard(effects, id) for id in ids), seconds=30)


def test_a_signal_lets_work_finish(
    processes: Processes, probe: Processes, channel: amqp.Channel, effects: Effects
) -> None:
    assert probe.end("probe") == 0
    processes.start("other", "-m", "tests.services.chassis.probe")
    processes.until("other", "serving")
    id = announce(channel, "slow 2")
    time.sleep(0.5)
    assert processes.end("other") == 0
    assert heard(effects, id) == 1
    probe.start("probe", "-m", "tests.services.chassis.probe")
    time.sleep(2)
    assert heard(effects, id) == 1, "it had been settled"


def test_a_queue_with_other_arguments_stops_the_start(
    processes: Processes, probe: Processes, channel: amqp.Channel
) -> None:
    assert probe.end("probe") == 0
    channel.queue_delete(QUEUE)
    channel.queue_declare(QUEUE, durable=True, auto_delete=False)
    try:
        other = processes.start("drifted", "-m", "tests.services.chassis.probe")
        assert other.wait(30) == 1
        assert "A live one can't be changed" in processes.log("drifted")
    finally:
        channel.queue_delete(QUEUE)
        probe.start("probe", "-m", "tests.services.chassis.probe")
        probe.until("probe", "serving")


def test_saving_announces(probe: Processes, caller: Caller, amqp_uri: str, environment: dict[str, str]) -> None:
    listener = Listener(amqp_uri, "feedback.moved")
    id = caller.call("feedback.probe.make", draft={"name": "loop"})["id"]
    (found,) = listener.wait(1)
    assert found["subject"] == id
    assert found["sequence"] == "000000000001"
    assert listener.raw[0].properties["content_type"] == CONTENT_TYPE
    with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"]) as client:
        things = client[environment["MONGO_DATABASE_PREFIX"] + "feedback"].things
        stored = until(lambda: things.find_one({"_id": id, "outbox": {"$exists": False}}))
    assert "unsent" not in stored
    listener.close()


def test_what_is_private_is_heard_by_us_alone(
    probe: Processes, caller: Caller, amqp_uri: str, channel: amqp.Channel, effects: Effects
) -> None:
    others, us = Listener(amqp_uri), Listener(amqp_uri, exchange="private")
    publish(
        channel,
        orjson.dumps(submitted("x", type="feedback.whispered", data={"name": "shouted"})),
        key="feedback.whispered",
    )
    caller.call("feedback.probe.whisper", draft={"name": "whispered"})
    (found,) = us.wait(1)
    assert (found["type"], found["data"]) == ("feedback.whispered", {"name": "whispered"})
    until(lambda: heard(effects, found["id"], "overhear"))
    caller.call("feedback.probe.make", draft={"name": "loud"})
    assert [each["data"].get("name") for each in others.wait(2)] == ["shouted", None]
    assert effects.count_documents({"handler": "overhear"}) == 1, "nobody of ours hears it on the public exchange"
    others.close()
    us.close()


def test_what_a_crash_left_unsent_is_sent_by_the_sweep(
    probe: Processes, amqp_uri: str, environment: dict[str, str]
) -> None:
    listener = Listener(amqp_uri, "feedback.submitted")
    left = [submitted("left 1", sequence="000000000001"), submitted("left 2", sequence="000000000002")]
    with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"]) as client:
        things = client[environment["MONGO_DATABASE_PREFIX"] + "feedback"].things
        things.insert_one({"_id": left[0]["id"], "version": 2, "unsent": True, "outbox": left})
        assert [each["id"] for each in listener.wait(2)] == [each["id"] for each in left]
        until(lambda: things.find_one({"_id": left[0]["id"], "unsent": {"$exists": False}}))
    listener.close()


def test_a_backlog_is_sent_and_taken_out(probe: Processes, amqp_uri: str, environment: dict[str, str]) -> None:
    listener = Listener(amqp_uri, FEEDBACK_MOVED.key)
    left = [submitted("", type=FEEDBACK_MOVED.key, data=FEEDBACK_MOVED.example) for _ in range(2 * WINDOW + 50)]
    with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"]) as client:
        things = client[environment["MONGO_DATABASE_PREFIX"] + "feedback"].things
        things.insert_many({"_id": each["id"], "version": 1, "unsent": True, "outbox": [each]} for each in left)
        listener.wait(len(left))
        assert {each["id"] for each in listener.heard} == {each["id"] for each in left}
        until(lambda: not things.count_documents({"$or": [{"unsent": True}, {"outbox": {"$exists": True}}]}))
    listener.close()


def test_what_was_left_is_sent_also_while_others_announce(
    probe: Processes, caller: Caller, amqp_uri: str, environment: dict[str, str]
) -> None:
    listener = Listener(amqp_uri, "feedback.submitted")
    left = submitted("left behind", sequence="000000000001")
    with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"]) as client:
        things = client[environment["MONGO_DATABASE_PREFIX"] + "feedback"].things
        things.insert_one({"_id": left["id"], "version": 1, "unsent": True, "outbox": [left]})
        deadline = time.monotonic() + 15
        while not listener.heard:
            assert time.monotonic() < deadline, "it was never sent"
            caller.call("feedback.probe.make", draft={"name": "busy"})
            listener.drain(0.05)
    assert listener.heard[0]["id"] == left["id"]
    listener.close()
