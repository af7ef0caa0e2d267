"""`hub backup`: what the services remember, written down while they work.

Nobody is stopped, and no snapshot is asked of the store. An aggregate is one document in which its unsent messages
ride, so each is consistent in itself. Messages mend what aggregates are to each other. All that is announced while we
read is written down, too, whether everybody may hear it or a few. After a restore it rides again in the aggregates that
it tells of, under the same ids: who has heard it before is not changed by hearing it again. `hub replay` then makes the
copies new that services keep of each other. So it does not matter which service is read first, but for those who hear
the gateway: it remembers nothing in which its messages could ride again.
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

PATIENCE = 10.0  # seconds for handlers to catch up with what was announced before we listened
SETTLING = 2.0  # seconds for what they have in hand


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def backup(folder: Path) -> None:
    """Write what all services remember into a new FOLDER, while they work.

    It holds all of the members' data, and hashes of their passwords: keep it as you keep the store. Not in it: keys,
    passwords of servers, sessions (everybody signs in again), answers kept for an Idempotency-Key (a call that is sent
    again after a restore is a new one), and what waits in the broker's queues.
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
    """A queue that gets all that is announced from now on, to everybody or to a few."""
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
            with suppress(orjson.JSONDecodeError):  # foreign rubbish is nobody's memory
                yield bson.encode(orjson.loads(message.body))


def _behind(opened: amqp.Connection) -> dict[str, int]:
    """The handlers' queues that were never seen empty, with what waits there."""
    waiting, until = dict.fromkeys(known.handlers(), 0), time.monotonic() + PATIENCE
    while True:
        found = {queue: bus.look(opened, queue) for queue in waiting}
        waiting = {queue: state.ready for queue, state in found.items() if state and state.ready}
        if not waiting or time.monotonic() > until:
            time.sleep(SETTLING)
            return waiting
        time.sleep(0.2)


def _parts(client: store.Client) -> list[str]:
    """The collections. Services that hear somebody without a memory come last, so that they have heard the most.

    In each service, the collections that say that something was done come first. So nothing is called done of which the
    effect was not read.
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
