"""`hub backup`: copy the stores of all services while they work.

No service is stopped, and the store takes no snapshot. An aggregate is one document that includes its unsent messages,
so each aggregate is consistent in itself. Messages restore the consistency between aggregates. So the backup also holds
all public and private messages that are announced while it reads. After a restore they are put into their aggregates
and announced again with the same ids. A handler that has heard one before is not changed by it. `hub replay` then
renews the copies that services keep of each other. So the order of the services does not matter, with one exception:
services that hear the gateway come last, because the gateway has no store from which to announce its messages again.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import amqp
import bson
import click
import orjson

from deploy.hub import Trouble, bus, known, screen, settings, store
from deploy.hub.archive import MESSAGES, Archive
from services.contracts.catalogue import EXCHANGE, PRIVATE

PATIENCE = 10.0  # seconds for handlers to catch up with messages from before we listened
SETTLING = 2.0  # seconds for messages that handlers are working on


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def backup(folder: Path) -> None:
    """Write the data of all services into a new FOLDER, while they work.

    It holds all of the members' data, and hashes of their passwords: protect it like the store. It does not hold keys,
    passwords of servers, sessions (everybody signs in again), answers kept for an Idempotency-Key (a call that is
    repeated after a restore is a new call), or messages that wait in the broker's queues.
    """
    archive, began = Archive.new(folder), datetime.now(UTC)
    with bus.connection() as opened, store.client() as client:
        passing = _listen(opened)
        click.echo("Listening to what is announced meanwhile …")
        behind = _behind(opened)
        for name in _parts(client):
            count = archive.write(name, _documents(store.raw(client, name)))
            click.echo(f"{name}: {screen.counted(count, 'document')}")
        count = archive.write(MESSAGES, _passed(opened, passing))
        click.echo(f"{screen.counted(count, 'message')} passed meanwhile.")
    archive.seal(began=began.isoformat(), ended=datetime.now(UTC).isoformat(), behind=behind)
    for queue, waiting in behind.items():
        click.echo(f"In {queue} waited {screen.counted(waiting, 'message')}: these are not in the backup.", err=True)
    total = sum(part["documents"] for part in archive.parts.values())
    click.echo(f"{folder} holds {screen.counted(total, 'document')}.")


def _documents(rows: store.Raw) -> Iterator[bytes]:
    return (bytes(each.raw) for each in rows.find().sort("_id", 1))


def _listen(opened: amqp.Connection) -> str:
    """A queue that gets all public and private messages from now on."""
    channel = opened.channel()
    queue: str = channel.queue_declare("", exclusive=True).queue
    try:
        for exchange in (EXCHANGE, PRIVATE):
            channel.queue_bind(queue, exchange, "#")
    except amqp.NotFound:
        raise Trouble(f"There is no exchange {exchange}: no service has ever run on this broker.") from None
    return queue


def _passed(opened: amqp.Connection, queue: str) -> Iterator[bytes]:
    with opened.channel() as channel:
        channel.auto_decode = False
        while message := channel.basic_get(queue, no_ack=True):
            with suppress(orjson.JSONDecodeError):  # a foreign, unreadable message is not worth keeping
                yield bson.encode(orjson.loads(message.body))


def _behind(opened: amqp.Connection) -> dict[str, int]:
    """The handlers' queues that were never seen empty, with the number of waiting messages."""
    waiting, until = dict.fromkeys(known.handlers(), 0), time.monotonic() + PATIENCE
    while True:
        found = {queue: bus.look(opened, queue) for queue in waiting}
        waiting = {queue: state.ready for queue, state in found.items() if state and state.ready}
        if not waiting or time.monotonic() > until:
            time.sleep(SETTLING)
            return waiting
        time.sleep(0.2)


def _parts(client: store.Client) -> list[str]:
    """The collections in order. Services that hear a publisher without a store come last, to have heard the most.

    In each service, the collections that record deeds as done come first. So the backup records no deed as done without
    its effect.
    """
    found, handlers = [], known.handlers().items()
    hear = {queue.partition(".")[0] for queue, type in handlers if type.partition(".")[0] not in known.services()}
    for service in sorted(known.services(), key=lambda service: service in hear):
        database = client[settings.database(service)]
        announcing = store.announcing(database)
        for collection in sorted(database.list_collection_names(), key=lambda name: (name not in announcing, name)):
            found.append(f"{service}/{collection}")
    left_out = known.left_out()
    return [name for name in found if name not in left_out and "/system." not in name]
