"""The name of a queue is in the declaration: a method may be renamed, and a queue, too."""

from collections.abc import Iterator
from typing import Any

import amqp
import pytest
from pymongo.collection import Collection

from tests.rig.processes import Processes, until
from tests.rig.wire import announce, connection
from tests.services.chassis.things import heard

FORMER, PRESENT = "feedback.renamed.hear", "feedback.renamed.take_in"
Effects = Collection[dict[str, Any]]


@pytest.fixture
def channel(amqp_uri: str) -> Iterator[amqp.Channel]:
    made = connection(amqp_uri)
    yield made.channel()
    for queue in (FORMER, PRESENT):
        made.channel().queue_delete(queue)
    made.close()


def serve(processes: Processes, which: str) -> None:
    processes.start(which, "-m", "tests.services.chassis.renamed", which)
    processes.until(which, "serving")


def waiting(channel: amqp.Channel, queue: str) -> int:
    return int(channel.queue_declare(queue, passive=True).message_count)


def test_what_waits_under_a_former_name_is_handled_and_nothing_more_is_put_there(
    processes: Processes, channel: amqp.Channel, effects: Effects
) -> None:
    serve(processes, "before")
    processes.end("before")
    left = announce(channel, "while nobody serves")
    until(lambda: waiting(channel, FORMER) == 1)
    serve(processes, "after")
    until(lambda: heard(effects, left, "take_in") == 1)
    processes.end("after")
    later = announce(channel, "to the present name only")
    until(lambda: waiting(channel, PRESENT) == 1)
    assert waiting(channel, FORMER) == 0

    serve(processes, "after")
    until(lambda: heard(effects, later, "take_in") == 1)
    channel.queue_delete(FORMER)
    last = announce(channel, "after the operator has tidied up")
    until(lambda: heard(effects, last, "take_in") == 1)
    processes.end("after")
    serve(processes, "after")
    with pytest.raises(amqp.NotFound):
        waiting(channel, FORMER)


def test_two_handlers_have_two_queues(processes: Processes, channel: amqp.Channel) -> None:
    process = processes.start("twice", "-m", "tests.services.chassis.renamed", "twice")
    assert process.wait(30) == 1
    assert f"names the queue {FORMER} twice" in processes.log("twice")
