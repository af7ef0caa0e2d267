"""`hub dead` on a real broker: letters of a real service, of the broker itself, and of no known sender."""

import json
import uuid
from typing import Any

import amqp
import orjson
import pytest
from pymongo.collection import Collection

from deploy.hub import letters
from tests.hub.operator import Operator
from tests.rig.processes import Processes, until
from tests.rig.wire import Listener, submitted

QUEUE = "feedback.probe.hear"
OTHER = "feedback.probe.hear_too"
PARKED_AT = "2026-11-02T09:00:00+00:00"


def put(channel: amqp.Channel, body: bytes, exchange: str, key: str, headers: dict[str, Any] | None = None) -> None:
    message = amqp.Message(body, delivery_mode=2, application_headers=headers or {})
    channel.basic_publish(message, exchange, key)


def park(channel: amqp.Channel, body: bytes, queue: str = QUEUE) -> None:
    """A dead letter, as the chassis parks one."""
    headers = {"x-hearth-queue": queue, "x-hearth-error": "RuntimeError: a bug", "x-hearth-attempt": 3}
    put(channel, body, "", "dead", headers | {"x-hearth-parked-at": PARKED_AT})


def depth(channel: amqp.Channel, queue: str = "dead") -> int:
    return int(channel.queue_declare(queue, passive=True).message_count)


def test_poison_is_listed_shown_replayed_and_dropped(
    probe: Processes, channel: amqp.Channel, operator: Operator, effects: Collection[dict[str, Any]]
) -> None:
    no = submitted("no")
    put(channel, orjson.dumps(no), "community", "feedback.submitted")
    until(lambda: depth(channel) == 1)
    [letter] = operator.json("dead", "list")
    assert (letter["queue"], letter["type"], letter["message"]) == (QUEUE, "feedback.submitted", no["id"])
    assert letter["error"].startswith("Invalid no at tests/services/chassis/probe.py:")
    assert letter["id"] in operator.hub("dead", "list")
    shown = operator.hub("dead", "show", letter["id"])
    assert "x-hearth-parked-at" in shown
    assert '"text": "no"' in shown

    assert "1 letter went back to feedback.probe.hear." in operator.hub("dead", "replay", no["id"])
    [again] = until(lambda: operator.json("dead", "list"))
    assert again["id"] == letter["id"], "the same letter is back"
    assert again["attempt"] == 1, "its tries were counted anew"
    assert effects.count_documents({"handler": "hear_too", "message": no["id"]}) == 1, "nobody else heard it again"

    assert "1 letter removed." in operator.hub("dead", "remove", letter["id"], "--yes")
    assert operator.json("dead", "list") == []


def test_after_the_fix_a_hundred_letters_have_a_hundred_effects(
    probe: Processes,
    channel: amqp.Channel,
    operator: Operator,
    effects: Collection[dict[str, Any]],
    amqp_uri: str,
) -> None:
    broken = [submitted("ok") for _ in range(100)]
    for each in broken:
        park(channel, orjson.dumps(each))
    park(channel, orjson.dumps(submitted("ok")), queue="feedback.probe.gone")
    until(lambda: depth(channel) == 101)
    listener = Listener(amqp_uri)
    assert "100 letters went back" in operator.hub("dead", "replay", "--queue", QUEUE)
    own = [each["id"] for each in broken]
    ids = {"message": {"$in": own}}
    until(lambda: effects.count_documents({"handler": "hear"} | ids) == 100)
    assert [each for each in listener.drain(1) if each["id"] in own] == [], "no other subscriber was disturbed"
    assert effects.count_documents(ids) == 100
    listener.close()
    assert [each["queue"] for each in operator.json("dead", "list")] == ["feedback.probe.gone"]


def test_what_has_no_queue_to_go_back_to_stays(channel: amqp.Channel, operator: Operator) -> None:
    park(channel, b"{}", queue="feedback.probe.gone")
    put(channel, b"{}", "", "dead")
    until(lambda: depth(channel) == 2)
    said = operator.hub("dead", "replay", "--all", code=1)
    assert "1 letter stayed: there is no queue feedback.probe.gone to go back to." in said
    assert "1 letter stayed: there is no queue unknown" in said
    assert len(operator.json("dead", "list")) == 2


def test_garbage_is_readable_and_does_no_harm_to_the_terminal(channel: amqp.Channel, operator: Operator) -> None:
    park(channel, b"\x1b[2J\xff\x00 [red]not markup[/red]")
    big = b"x" * 5_000_000
    park(channel, big)
    put(channel, b"", "", "dead", {"x-hearth-queue": 5, "x-death": [{"count": "x"}, 7], "n": None})
    until(lambda: depth(channel) == 3)
    assert operator.hub("dead", "list").count("?") >= 2
    shown = operator.hub("dead", "show", "1")
    assert "\x1b" not in shown
    assert "[red]not markup[/red]" in shown
    assert "… of 5,000,000 bytes" in operator.hub("dead", "show", "2")
    assert operator.hub("dead", "show", "2", "--raw").encode() == big
    assert "(empty)" in operator.hub("dead", "show", "3")
    assert "There is no dead letter 4." in operator.hub("dead", "show", "4", code=1)


def test_what_the_broker_gave_up_on_goes_back_to_where_it_died(channel: amqp.Channel, operator: Operator) -> None:
    home = f"ext.{uuid.uuid4()}"
    limits = {"x-delivery-limit": 1, "x-dead-letter-exchange": "dead"}
    channel.queue_declare(home, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"} | limits)
    counted = {"x-delivery-count": 3, "x-acquired-count": 3}  # as brokers write
    put(channel, b"{}", "", home, {"x-hearth-attempt": 1, "x-hearth-error": "Error: once"} | counted)
    for _ in range(2):
        channel.basic_reject(until(lambda: channel.basic_get(home)).delivery_tag, requeue=True)
    until(lambda: depth(channel) == 1)
    [letter] = operator.json("dead", "list")
    assert letter["queue"] == home
    assert letter["error"] == "the broker gave up on it (delivery_limit); before: Error: once"
    operator.hub("dead", "replay", "--all")
    message = until(lambda: channel.basic_get(home, no_ack=True))
    assert set(message.properties["application_headers"]) <= {"x-delivery-count"}, "as if it came for the first time"
    channel.queue_delete(home)


def test_waiting_for_a_retry_was_no_death() -> None:
    deaths = [{"queue": "retry.5s", "reason": "expired"}, {"queue": QUEUE, "reason": "delivery_limit"}]
    message = amqp.Message(b"{}", application_headers={"x-death": deaths})
    message.delivery_info = {"delivery_tag": 1}
    assert letters.read(message).queue == QUEUE


def test_looking_wears_no_letter_out_and_keeps_their_order(channel: amqp.Channel, operator: Operator) -> None:
    for number in range(60):
        park(channel, orjson.dumps({"id": str(number)}))
    until(lambda: depth(channel) == 60)
    for _ in range(12):
        assert [each["message"] for each in operator.json("dead", "list")] == [str(n) for n in range(60)]
    message = channel.basic_get("dead")
    assert message.properties["application_headers"]["x-delivery-count"] < 10
    assert message.properties["application_headers"]["x-hearth-queue"] == QUEUE
    channel.basic_reject(message.delivery_tag, requeue=True)


def test_removing_asks_first_and_choosing_is_a_must(channel: amqp.Channel, operator: Operator) -> None:
    park(channel, b"{}")
    until(lambda: depth(channel) == 1)
    operator.hub("dead", "remove", "--all", code=130)
    assert "Say which" in operator.hub("dead", "remove", code=2)
    assert "Say which" in operator.hub("dead", "replay", code=2)
    for verb in ("show", "replay", "remove"):
        said = operator.hub("dead", verb, "nobody", code=1)
        assert "There is no dead letter nobody. hub dead list shows all." in said
    assert "No dead letter matches." in operator.hub("dead", "replay", "--queue", OTHER, code=1)
    assert depth(channel) == 1


def test_former_spellings_still_work(channel: amqp.Channel, operator: Operator) -> None:
    park(channel, b"{}")
    until(lambda: depth(channel) == 1)
    [letter] = operator.json("dead", "list")
    assert "1 letter removed." in operator.hub("dead", "drop", "--id", letter["id"], "--yes")
    assert operator.json("queues") == operator.json("queues", "list")
    assert "hub queues remove" not in operator.hub("queues", "delete", "--help"), "it is the same command"
    assert "add" in operator.hub("admin", "create", "--help")


def test_of_several_all_must_be_there(channel: amqp.Channel, operator: Operator) -> None:
    for number in range(3):
        park(channel, orjson.dumps({"id": str(number)}))
    until(lambda: depth(channel) == 3)
    assert "There is no dead letter 7." in operator.hub("dead", "remove", "0", "7", "--yes", code=1)
    assert depth(channel) == 3, "nothing is removed by halves"
    assert "2 letters removed." in operator.hub("dead", "remove", "0", "2", "--yes")
    assert [each["message"] for each in operator.json("dead", "list")] == ["1"]


@pytest.mark.parametrize("command", [["dead", "list"], ["queues"], ["tail"], ["replay", "members"]])
def test_an_absent_broker_is_told_in_a_sentence(operator: Operator, command: list[str]) -> None:
    said = operator.hub(*command, code=1, AMQP_URI="amqp://somebody:secret@127.0.0.1:1/")
    assert "The broker at 127.0.0.1:1 does not let us in" in said
    assert "secret" not in said


def test_letters_are_json_for_programs(channel: amqp.Channel, operator: Operator) -> None:
    assert json.loads(operator.hub("dead", "list", "--json")) == []
    assert operator.hub("dead", "list") == "There are no dead letters.\n"
