"""What people remembers: one row a member, and how often any row has changed."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from services.chassis.store import Rows
from services.notifications.people.domain import Person

CHUNK = 1000
ROSTER_AT_MOST = 50_000  # people, at somewhat under 1 KB each
_CHANGES = {"_id": "people"}


class Entry(NamedTuple):
    """What has to be known of somebody to tell whether they belong to an audience."""

    id: str
    joined_at: datetime
    roles: frozenset[str]
    tags: frozenset[str]


class PeopleStore(Rows):
    """The copy of the members, asked by audience.

    Reading thousands of rows costs a good part of what writing as many lines does, and people change seldom. So the
    process keeps a roster, and reads it again when the count of changes says so.
    """

    collection = "people"
    indexes = (IndexModel([("roles", 1), ("_id", 1)]), IndexModel([("tags", 1), ("_id", 1)]))

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._changes = self.rows.database.get_collection("changes", write_concern=self.write_concern)
        self._roster: list[Entry] = []
        self._read_at: int | None = None  # how many changes there had been then
        self._rows = 0

    def keep(self, person: Person) -> None:
        """Remember a member, unless what is known already is younger."""
        older = {"_id": person["_id"], "sequence": {"$lt": person["sequence"]}}
        with suppress(DuplicateKeyError):  # a younger row is there: no older one was found, and no second can be added
            self.rows.replace_one(older, person, upsert=True)
        # Counted in any case: a crash may have come between the row and its count the last time.
        self._changes.update_one(_CHANGES, {"$inc": {"count": 1}}, upsert=True)

    def anybody(self, role: str) -> bool:
        """Whether anybody with this role is known, or was when the roster was read last."""
        if any(role in each.roles for each in self._roster):
            return True
        return self.rows.find_one({"roles": role}, {"_id": True}) is not None

    def audience(
        self, audience: Mapping[str, Any], *, at: datetime, but: str | None, after: str | None
    ) -> Iterator[list[str]]:
        """The ids of those whom an audience means and who belonged at this moment, in chunks, in a stable order.

        `but` is left out (nobody is told of their own deed); `after` is where an earlier reading was interrupted.
        """
        roles, tags = frozenset(audience["roles"]), frozenset(audience["tags"])
        ids = iter(
            each.id
            for each in self._asked(audience)
            if each.joined_at <= at
            and each.id != but
            and (after is None or each.id > after)
            and (audience["everyone"] or not each.roles.isdisjoint(roles) or not each.tags.isdisjoint(tags))
        )
        while chunk := list(islice(ids, CHUNK)):
            yield chunk

    def _asked(self, audience: Mapping[str, Any]) -> list[Entry]:
        """Everybody, from the roster; or in a very large hub those whom the store finds. Sorted by id."""
        found = self._changes.find_one(_CHANGES)
        changes = found["count"] if found else 0
        if changes != self._read_at:
            self._rows = self.rows.estimated_document_count()  # not each time: the embedded store reads every row
            self._roster = self._read({}) if self._rows <= ROSTER_AT_MOST else []
            self._read_at = changes
        if self._rows > ROSTER_AT_MOST:
            return self._read({} if audience["everyone"] else _having(audience))
        return self._roster

    def _read(self, query: Mapping[str, Any]) -> list[Entry]:
        wanted = {"joined_at": True, "roles": True, "tags": True}
        rows = self.rows.find(query, wanted).batch_size(10 * CHUNK)
        return sorted(
            Entry(row["_id"], row["joined_at"], frozenset(row["roles"]), frozenset(row["tags"])) for row in rows
        )


def _having(audience: Mapping[str, Any]) -> dict[str, Any]:
    ways = [{name: {"$in": audience[name]}} for name in ("roles", "tags") if audience[name]]
    return dict(ways[0]) if len(ways) == 1 else {"$or": ways}
