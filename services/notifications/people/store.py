"""What people remembers: one row a member."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from services.chassis.store import Rows
from services.notifications.people.domain import Person

CHUNK = 1000


class PeopleStore(Rows):
    """The copy of the members, asked by audience."""

    collection = "people"
    indexes = (IndexModel([("roles", 1), ("_id", 1)]), IndexModel([("tags", 1), ("_id", 1)]))

    def keep(self, person: Person) -> None:
        """Remember a member, unless what is known already is younger."""
        older = {"_id": person["_id"], "sequence": {"$lt": person["sequence"]}}
        try:
            self.rows.replace_one(older, person, upsert=True)
        except DuplicateKeyError:
            return  # a younger row is there: the upsert found no older one and could not add a second

    def anybody(self, role: str) -> bool:
        """Whether anybody with this role is known."""
        return self.rows.find_one({"roles": role}, {"_id": True}) is not None

    def audience(
        self, audience: Mapping[str, Any], *, at: datetime, but: str | None, after: str | None
    ) -> Iterator[list[str]]:
        """The ids of those whom an audience means and who belonged at this moment, in chunks, in a stable order.

        `but` is left out (nobody is told of their own deed); `after` is where an earlier reading was interrupted.
        """
        query: dict[str, Any] = {} if audience["everyone"] else _having(audience)
        if after is not None:
            query["_id"] = {"$gt": after}
        # Sorted and compared here: asked of an embedded store, both cost more than all the rest of the reading.
        found = self.rows.find(query, {"joined_at": True}).batch_size(10 * CHUNK)
        ids = iter(sorted(each["_id"] for each in found if each["joined_at"] <= at and each["_id"] != but))
        while chunk := list(islice(ids, CHUNK)):
            yield chunk


def _having(audience: Mapping[str, Any]) -> dict[str, Any]:
    ways = [{name: {"$in": audience[name]}} for name in ("roles", "tags") if audience[name]]
    return dict(ways[0]) if len(ways) == 1 else {"$or": ways}
