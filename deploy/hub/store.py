"""The store, for reading only."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymongo
from bson.codec_options import CodecOptions
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from deploy.hub import Trouble, settings

PATIENCE_MS = 3000

Document = dict[str, Any]
Client = pymongo.MongoClient[Document]


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


@contextmanager
def collection(service: str, name: str) -> Iterator[Collection[Document]]:
    """A collection of a service, its moments in UTC."""
    with client() as made:
        database = made.get_database(settings.database(service), codec_options=CodecOptions(tz_aware=True))
        yield database.get_collection(name)
