"""The store, which only `hub restore` writes to."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymongo
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import WriteConcern
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from deploy.hub import Trouble, settings

PATIENCE_MS = 3000
# What services.chassis.outbox and services.chassis.schedule call them, which take a second to import.
OUTBOX, UNSENT, TAKEN, PLANS, LEASES = "outbox", "unsent", "taken", "due_at", "leases"

Document = dict[str, Any]
Client = pymongo.MongoClient[Document]
Raw = Collection[RawBSONDocument]


@contextmanager
def client() -> Iterator[Client]:
    """A client for as long as the block lasts; what the store or the way to it does wrong becomes Trouble."""
    try:
        with Client(
            settings.need("MONGO_URI"),
            appname="hub",
            serverSelectionTimeoutMS=PATIENCE_MS,
            connectTimeoutMS=PATIENCE_MS,
            socketTimeoutMS=10 * PATIENCE_MS,
        ) as made:
            made.admin.command("ping")
            yield made
    except PyMongoError as error:
        said = str(error).partition(" (configured timeouts")[0][:200]
        raise Trouble(
            f"The store does not answer ({said}).", "See whether it runs, and whether MONGO_URI is right."
        ) from None


def announcing(database: Any) -> list[str]:
    """The collections of a database that have unsent messages at times: those with an index for it."""
    return [name for name, field in _indexed(database) if field == UNSENT]


def planning(database: Any) -> list[tuple[str, str]]:
    """The collections of a database that plan work for a moment, each with the field: those with an index for it.

    The few rows of regular work need none.
    """
    return [(LEASES, PLANS), *((name, field) for name, field in _indexed(database) if field.endswith(PLANS))]


def _indexed(database: Any) -> Iterator[tuple[str, str]]:
    """The collections, each with the first field of each of its indexes."""
    for name in database.list_collection_names():
        for index in database[name].index_information().values():
            yield name, index["key"][0][0]


def raw(client: Client, name: str) -> Raw:
    """The collection `<service>/<collection>`, its documents byte for byte."""
    service, _, collection = name.partition("/")
    database: Any = client[settings.database(service)]
    found: Raw = database.get_collection(
        collection, CodecOptions(document_class=RawBSONDocument), write_concern=WriteConcern(w=1, j=True)
    )
    return found
