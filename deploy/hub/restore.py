"""`hub restore`: what a backup holds, brought back into an empty store; all of it or nothing.

Others have heard of changes that came after the backup, and compare the `sequence` of what they hear next with these.
So the sequences of all aggregates are raised: what is announced from now on is younger than anything before.
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
RAISE = 1_000_000  # more announcements than anything ever has between a backup and its restore
AGGREGATES = {"version": {"$exists": True}, "sequence": {"$exists": True}}


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def restore(folder: Path) -> None:
    """Bring back what FOLDER holds, into an empty store, while no service runs.

    All of it or nothing. The platform of this checkout has to be stopped; its store is started for as long as it takes.
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
    """Have an aggregate announce again what it had announced when it was read; whether there is such a one.

    A message that tells of a change which came too late for the backup tells of nothing, now.
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
    except Trouble:  # without a broker nobody works
        return
    if busy:
        services = sorted({queue.removeprefix(known.RPC_QUEUE.format("")).partition(".")[0] for queue in busy})
        raise Trouble(f"{', '.join(services)} still run.", "Stop all services first.")


@contextmanager
def _a_store() -> Iterator[None]:
    """The store that is named or runs; else that of this checkout, meanwhile."""
    if settings.environment().get("MONGO_URI"):
        yield
        return
    try:
        with settings.checkout().store_alone() as uri, settings.naming(MONGO_URI=uri):
            yield
    except CannotRun as problem:
        raise Trouble(str(problem)) from None
