"""Stores on the real server, each in a database of its own."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pymongo
from bson.codec_options import CodecOptions

from services.chassis.rows import JOURNALED, Rows

Made = TypeVar("Made", bound=Rows)


@contextmanager
def open_database(mongo_uri: str) -> Iterator[Callable[[type[Made]], Made]]:
    """Gives a function that makes a store, prepared and empty, and drops everything in the end."""
    with pymongo.MongoClient[dict[str, Any]](mongo_uri) as client:
        name = f"test_{uuid.uuid4().hex[:12]}"
        database = client.get_database(name, codec_options=CodecOptions(tz_aware=True), write_concern=JOURNALED)

        def make(kind: type[Made]) -> Made:
            store = kind(database, owner(kind))
            store.prepare()
            return store

        yield make
        client.drop_database(name)


def owner(kind: type[Rows]) -> str:
    """The service whose store it is. A store of the tests' own announces as feedback."""
    top, service, *_ = kind.__module__.split(".")
    return service if top == "services" and service != "chassis" else "feedback"
