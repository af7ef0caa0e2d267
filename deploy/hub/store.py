"""The store. Only `hub restore` writes to it."""

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
# The names from services.chassis.outbox and services.chassis.schedule, whose import would take a second.
OUTBOX, UNSENT, TAKEN, PLANS, LEASES = "outbox", "unsent", "taken", "due_at", "leases"

Document = dict[str, Any]
Client = pymongo.MongoClient[Document]
Raw = Collection[RawBSONDocument]


@contextmanager
def client() -> Iterator[Client]:
    """A client while the block lasts. Errors of the store and of the connection become Trouble."""
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
    """The collections of a database that may have unsent messages: those with an index for them."""
    return [name for name, field in _indexed(database) if field == UNSENT]


def planning(database: Any) -> list[tuple[str, str]]:
    """The collections of a database that plan work for a moment, each with its field. They have an index for it.

    The leases of regular work are included, too; they are few and need no index.
    """
    return [(LEASES, PLANS), *((name, field) for name, field in _indexed(database) if field.endswith(PLANS))]


def _indexed(database: Any) -> Iterator[tuple[str, str]]:
    """Pairs of a collection and the first field of one of its indexes, for all indexes."""
    for name in database.list_collection_names():
        for index in database[name].index_information().values():
            yield name, index["key"][0][0]


def raw(client: Client, name: str) -> Raw:
    """The collection `<service>/<collection>`, with documents as unchanged bytes."""
    service, _, collection = name.partition("/")
    database: Any = client[settings.database(service)]
    found: Raw = database.get_collection(
        collection, CodecOptions(document_class=RawBSONDocument), write_concern=WriteConcern(w=1, j=True)
    )
    return found
