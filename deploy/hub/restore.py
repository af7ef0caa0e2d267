"""`hub restore`: bring a backup back into an empty store, all of it or nothing.

Other systems have heard of changes after the backup, and compare the `sequence` of later messages with theirs. So the
sequences of all aggregates are raised. Messages from now on are then younger than all earlier ones.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import bson
import click
from bson.raw_bson import RawBSONDocument

from deploy.hub import Trouble, bus, known, screen, settings, store
from deploy.hub.archive import MESSAGES, Archive
from deploy.local import CannotRun

CHUNK = 500  # documents
RAISE = 1_000_000  # more announcements than any aggregate makes between a backup and its restore
AGGREGATES = {"version": {"$exists": True}, "sequence": {"$exists": True}}


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def restore(folder: Path) -> None:
    """Bring the backup in FOLDER back into an empty store, while no service runs.

    It brings back all of it or nothing. Stop the platform of this checkout first; its store is started meanwhile.
    """
    archive = Archive.open(folder)
    click.echo(f"{folder} is whole: {screen.counted(len(archive.parts), 'part')}.")
    with _a_store(), store.client() as client:
        _see_that_nobody_works()
        names = [name for name in archive.parts if name != MESSAGES]
        for name in names:
            if store.raw(client, name).find_one() is not None:
                raise Trouble(f"{name} is not empty.", "A backup is restored into an empty store.")
        try:
            for name in names:
                _load(store.raw(client, name), archive, name)
                click.echo(f"{name}: {screen.counted(archive.parts[name]['documents'], 'document')}")
            riding = sum(_ride(client, names, bson.decode(each)) for each in archive.read(MESSAGES))
            for name in names:
                store.raw(client, name).update_many(AGGREGATES, {"$inc": {"sequence": RAISE}})
        except BaseException:
            for name in names:
                store.raw(client, name).delete_many({})
            raise
    click.echo(f"All is back; {screen.counted(riding, 'message')} will be announced again.")
    click.echo("Start the services; then hub replay, and hub doctor.")


def _load(rows: store.Raw, archive: Archive, name: str) -> None:
    documents = (RawBSONDocument(each) for each in archive.read(name))
    while chunk := list(islice(documents, CHUNK)):
        rows.insert_many(chunk)
    there, written = rows.count_documents({}), archive.parts[name]["documents"]
    if there != written:
        raise Trouble(f"{name} has {there:,} documents instead of {written:,}.")


def _ride(client: store.Client, names: list[str], event: dict[str, Any]) -> bool:
    """Put a message back into its aggregate, to be announced again. True if one took it.

    A message about a change that came too late for the backup is left out, because the change is gone.
    """
    publisher = str(event.get("source")).rpartition("/")[2]
    told = {"_id": event.get("subject"), "sequence": {"$gte": int(event.get("sequence", 0))}}
    again = {"$push": {store.OUTBOX: event}, "$set": {store.UNSENT: True}}
    return any(
        store.raw(client, name).update_one(told | {f"{store.OUTBOX}.id": {"$ne": event["id"]}}, again).modified_count
        for name in names
        if name.startswith(f"{publisher}/")
    )


def _see_that_nobody_works() -> None:
    try:
        with bus.connection() as opened:
            queues = [known.RPC_QUEUE.format(name) for name in known.capabilities()]
            busy = [queue for queue in queues if (state := bus.look(opened, queue)) and state.consumers]
    except Trouble:  # without a broker no service works
        return
    if busy:
        services = sorted({queue.removeprefix(known.RPC_QUEUE.format("")).partition(".")[0] for queue in busy})
        raise Trouble(f"{', '.join(services)} still run.", "Stop all services first.")


@contextmanager
def _a_store() -> Iterator[None]:
    """Use the named or running store. If there is none, run the store of this checkout while the block lasts."""
    if settings.environment().get("MONGO_URI"):
        yield
        return
    try:
        with settings.checkout().store_alone() as uri, settings.naming(MONGO_URI=uri):
            yield
    except CannotRun as problem:
        raise Trouble(str(problem)) from None
