"""Rows in MongoDB: one database a service, indexes declared beside the store that needs them, pages of a list."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from bson.codec_options import CodecOptions
from pymongo import IndexModel, MongoClient, WriteConcern
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import ConnectionFailure, DuplicateKeyError, PyMongoError

from services.chassis import cursors
from services.chassis.outbox import OUTBOX, UNSENT, Relay
from services.contracts import moments
from services.ground.settings import Settings

Document = dict[str, Any]
Row = TypeVar("Row", bound=Mapping[str, Any])  # a TypedDict of the domain, or a plain dict
JOURNALED = WriteConcern("majority", j=True)  # a failover can't undo it
RENEWABLE = WriteConcern(w=1)  # for rows that can be made again
PATIENCE_MS = 1000
TAKEN = "taken"  # the tries of work that is due (`schedule`)
HIDDEN = {OUTBOX: False, UNSENT: False, TAKEN: False}
_clients: dict[str, MongoClient[Document]] = {}


def is_absent(error: BaseException) -> bool:
    """True if the store can't be reached or does not answer; False if it refuses."""
    return isinstance(error, ConnectionFailure) or (isinstance(error, PyMongoError) and error.timeout)


def database(settings: Settings, service: str) -> Database[Document]:
    """The database of a service; one client a process and server."""
    client = _clients.get(settings.mongo_uri)
    if client is None:
        client = _clients[settings.mongo_uri] = MongoClient(
            settings.mongo_uri,
            appname=f"hearth-{service}",
            serverSelectionTimeoutMS=2 * PATIENCE_MS,
            connectTimeoutMS=2 * PATIENCE_MS,
            socketTimeoutMS=10 * PATIENCE_MS,
            maxPoolSize=50,
        )
    return client.get_database(
        settings.database_prefix + service, codec_options=CodecOptions(tz_aware=True), write_concern=JOURNALED
    )


def once(rows: Collection[Row], row: Row) -> Row:
    """Write a row, once. Returns it as it was first written: this row itself, or an earlier one of the same id."""
    try:
        rows.insert_one(row)
    except DuplicateKeyError:
        return rows.find_one({"_id": row["_id"]}) or row
    return row


def where(**wanted: Any) -> dict[str, Any]:
    """The query for rows with these values. None means any value."""
    return {name: value for name, value in wanted.items() if value is not None}


class Rows(Generic[Row]):
    """A collection of plain rows: a copy of what others announced, or rows that can be made again.

    `rows` and `documents` are the same collection. The latter also has what is no row: marks, and messages that ride.
    """

    collection: str
    indexes: Sequence[IndexModel] = ()
    write_concern = JOURNALED
    keeps = True  # a backup holds them

    def __init__(self, database: Database[Document], service: str, relay: Relay | None = None) -> None:
        self.documents = database.get_collection(self.collection, write_concern=self.write_concern)
        self.rows = cast(Collection[Row], self.documents)
        self._service, self._relay = service, relay

    def prepare(self) -> None:
        """Make the indexes that the queries of this store rely on."""
        if self.indexes:
            self.rows.create_indexes(list(self.indexes))

    def keep_youngest(self, row: Row) -> Row | None:
        """Keep a row of a copy, unless a younger one of the same id is there. A higher `sequence` is younger.

        Returns the older row whose place it took, or None.
        """
        older = {"_id": row["_id"], "sequence": {"$lt": row["sequence"]}}
        with suppress(DuplicateKeyError):  # a younger row is there: no older one was found, and no second can be added
            replaced: Row | None = self.rows.find_one_and_replace(older, row, upsert=True)
            return replaced
        return None

    def page(
        self, query: Mapping[str, Any], *, by: str, ascending: bool, after: Any, limit: int
    ) -> tuple[list[Row], Any]:
        """At most `limit` rows ordered by the unique field `by`, after the value `after`, and the next `after`.

        The next is None on the last page.
        """
        bound = {by: {"$gt" if ascending else "$lt": after}} if after is not None else {}
        found = list(self.rows.find({**query, **bound}, HIDDEN).sort(by, 1 if ascending else -1).limit(limit + 1))
        return found[:limit], found[limit - 1][by] if len(found) > limit else None

    def timeline(
        self, query: Mapping[str, Any], *, by: str, ascending: bool, after: list[Any] | None, limit: int
    ) -> tuple[list[Row], list[Any] | None]:
        """At most `limit` rows ordered by the moment `by` and then the id, and the `after` of the next page.

        `after` is `[moment in Unix milliseconds, id]`. The next one is None on the last page.
        `query` may bound `by`, too.
        """
        step, way = ("$gt", 1) if ascending else ("$lt", -1)
        parts: list[Document] = [{}]
        if after is not None:
            moment, own, ids = position(after[0]), query.get(by), query.get("_id", {})
            # The rest of that moment, then all beyond it: each is a range of the index, which an $or would not be.
            parts = [
                {by: {**own, "$eq": moment} if own else moment, "_id": {**ids, step: after[1]}},
                {by: {**(own or {}), step: moment}},
            ]
        found: list[Row] = []
        for part in parts:
            if (missing := limit + 1 - len(found)) > 0:
                rows = self.rows.find({**query, **part}, HIDDEN).sort([(by, way), ("_id", way)])
                found += rows.limit(missing)
        if len(found) <= limit:
            return found, None
        last = found[limit - 1]
        return found[:limit], [moments.to_ms(last[by]), last["_id"]]


def position(milliseconds: int) -> datetime:
    """The moment at which a page begins, from the Unix milliseconds in a cursor. Raises Invalid if out of range."""
    try:
        return moments.from_ms(milliseconds)
    except OverflowError:
        raise cursors.not_ours() from None
