"""Orphaned queues, which have no handler any more, are shown and deleted when the operator says so."""

import uuid
from collections.abc import Iterator
from contextlib import suppress

import amqp
import pytest

from services.chassis.bus.topology import declare_exchanges, declare_handler
from services.contracts.messages.members import MEMBERS_CHANGED
from tests.hub.operator import Operator
from tests.rig.wire import publish

NEEDED = "notifications.people.learn_of_a_change"


@pytest.fixture(scope="module")
def operator(environment: dict[str, str], management_uri: str) -> Operator:
    return Operator(environment | {"AMQP_MANAGEMENT_URI": management_uri})


@pytest.fixture
def orphan(channel: amqp.Channel) -> Iterator[str]:
    queue = f"events.calendar.hear_{uuid.uuid4().hex}"
    declare_exchanges(channel)
    declare_handler(channel, queue, MEMBERS_CHANGED)
    yield queue
    with suppress(amqp.NotFound):
        channel.queue_delete(queue)


def test_an_orphan_is_shown_with_what_it_holds(operator: Operator, channel: amqp.Channel, orphan: str) -> None:
    publish(channel, b"{}", key=MEMBERS_CHANGED.key)
    row = next(each for each in operator.json("queues") if each["queue"] == orphan)
    assert (row["orphan"], row["ready"]) == (True, 1)
    assert f"orphan, still bound: hub queues remove {orphan}" in operator.hub("queues")
    findings = operator.json("doctor", code=None)["findings"]
    (found,) = [each for each in findings if each["about"] == f"queue {orphan}"]
    assert found == {
        "state": "watch",
        "about": f"queue {orphan}",
        "says": "orphan: no handler has it; waiting: 1 message. Messages are still put there.",
        "do": f"hub queues remove {orphan}",
    }


def test_one_that_fills_is_wrong_until_it_is_deleted(operator: Operator, channel: amqp.Channel, orphan: str) -> None:
    for _ in range(1000):
        publish(channel, b"{}", key=MEMBERS_CHANGED.key)
    findings = operator.json("doctor", code=1)["findings"]
    assert [each["state"] for each in findings if each["about"] == f"queue {orphan}"] == ["wrong"]
    assert "1,000 messages will be gone" in operator.hub("queues", "remove", orphan, code=130)
    assert "is gone" in operator.hub("queues", "remove", orphan, "--yes")
    assert orphan not in operator.hub("queues")
    assert "There is no orphan" in operator.hub("queues", "remove", orphan, code=1)


def test_what_is_needed_is_no_orphan(operator: Operator) -> None:
    assert not next(each for each in operator.json("queues") if each["queue"] == NEEDED)["orphan"]
    for queue in (NEEDED, "dead", "rpc-members.accounts", "community"):
        assert "no orphan" in operator.hub("queues", "remove", queue, "--yes", code=1)


def test_without_the_management_api_the_others_are_shown(operator: Operator) -> None:
    said = operator.start("queues", AMQP_MANAGEMENT_URI="http://127.0.0.1:1")
    out, err = said.communicate(timeout=60)
    assert said.returncode == 0
    assert NEEDED in out
    assert "Orphans were not looked for: no answer at http://127.0.0.1:1" in err
