"""Queue depths, measured over a connection of their own, so that no other work waits for the answer."""

from collections.abc import Collection
from contextlib import suppress

import amqp
import eventlet

from services.chassis import metrics
from services.chassis.bus import PATIENCE, BusDown, connect
from services.ground import logs
from services.ground.logs import log

EVERY = 10.0  # seconds


def watch(uri: str, queues: Collection[str]) -> None:
    """Measure the queues every EVERY seconds, for ever."""
    while True:
        try:
            _look_while_open(uri, queues)
        except (OSError, amqp.AMQPError, BusDown) as error:
            log.info("queues not seen", error=logs.kind(error))
        for gauge in (metrics.WAITING, metrics.CONSUMERS):
            gauge.clear()  # an old number would be a wrong one
        eventlet.sleep(EVERY)


def _look_while_open(uri: str, queues: Collection[str]) -> None:
    connection = connect(uri, 0)
    try:
        while True:
            with eventlet.Timeout(PATIENCE, BusDown("no answer in time")):
                for queue in queues:
                    _look(connection, queue)
            eventlet.sleep(EVERY)
    finally:
        with suppress(Exception):
            connection.collect()


def _look(connection: amqp.Connection, queue: str) -> None:
    try:
        with connection.channel() as channel:
            found = channel.queue_declare(queue, passive=True)
    except amqp.NotFound:
        return  # deleted a moment ago; its consumer makes it anew
    metrics.WAITING.labels(queue).set(found.message_count)
    metrics.CONSUMERS.labels(queue).set(found.consumer_count)
