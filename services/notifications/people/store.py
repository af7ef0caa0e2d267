"""The store of people: who each member is, how many changes there were, and how each member is reached."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from threading import Lock
from typing import Any, NamedTuple

from pymongo import IndexModel

from services.chassis.rows import Rows
from services.notifications.people.domain import Person, Reach

BATCH = 10_000  # rows
ASKED_TOGETHER = 1_000  # people
ROSTER_AT_MOST = 200_000  # people, at a quarter of 1 KB each
_CHANGES = {"_id": "people"}
_WAYS = ("roles", "tags")


class Belonging(NamedTuple):
    """The facts needed of a member who has a role or tag that is asked for."""

    id: str
    joined_at: datetime


class Roster:
    """People by their roles and tags. Each list is in the order of their ids."""

    def __init__(self, rows: Iterable[Mapping[str, Any]] = ()) -> None:
        self._having: defaultdict[tuple[str, str], list[Belonging]] = defaultdict(list)
        for row in rows:
            belonging = Belonging(row["_id"], row["joined_at"])
            for way in _WAYS:
                for word in row[way]:
                    self._having[way, word].append(belonging)
        for having in self._having.values():
            having.sort()

    def having(self, audience: Mapping[str, Any]) -> list[Belonging]:
        """The people who have one of the audience's roles or tags."""
        asked = [(way, word) for way in _WAYS for word in dict.fromkeys(audience[way])]
        found = [self._having[each] for each in asked if each in self._having]
        return found[0] if len(found) == 1 else sorted(set().union(*found))


class PeopleStore(Rows[Person]):
    """The copy of the members, asked by audience.

    Reading thousands of rows takes a good part of the time of writing as many lines, and people seldom change. So the
    process keeps a roster, and reads it again when the count of changes says so.
    """

    collection = "people"
    indexes = (IndexModel([("roles", 1), ("_id", 1)]), IndexModel([("tags", 1), ("_id", 1)]))

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._changes = self.documents.database.get_collection("changes", write_concern=self.write_concern)
        self._roster = Roster()
        self._read_at: int | None = None  # the count of changes when the roster was read
        self._rows = 0
        self._reading, self._begun, self._done = Lock(), 0, 0  # the numbers of the last readings that began and ended

    def keep(self, person: Person) -> None:
        """Remember a member, unless a younger row is there."""
        self.keep_youngest(person)
        # Counted in any case: a crash may have come between the row and its count the last time.
        self._changes.update_one(_CHANGES, {"$inc": {"count": 1}}, upsert=True)

    def anybody(self, role: str) -> bool:
        """True if somebody with this role is known, or was when the roster was last read."""
        if self._roster.having({"roles": [role], "tags": []}):
            return True
        return self.rows.find_one({"roles": role}, {"_id": True}) is not None

    def everybody(self) -> Iterator[list[str]]:
        """The ids of all known members, many at a time."""
        with self.rows.find({}, {"_id": True}).batch_size(BATCH) as found:
            while ids := [each["_id"] for each in islice(found, ASKED_TOGETHER)]:
                yield ids

    def audience(self, audience: Mapping[str, Any], *, at: datetime, but: str | None) -> list[str]:
        """The ids, in order, of the members who have one of these roles or tags and belonged at this moment.

        `but` is left out, as members are not told of their own deeds.
        """
        return [each.id for each in self._asked(audience) if each.joined_at <= at and each.id != but]

    def _asked(self, audience: Mapping[str, Any]) -> list[Belonging]:
        """The people of an audience, from the roster; in a very large hub, from the store."""
        before, changes = self._begun, self._changed()
        if changes != self._read_at:
            with self._reading:  # if many find it changed, one of them reads
                if changes != self._read_at and self._done <= before:
                    self._read_anew()
        if self._rows > ROSTER_AT_MOST:
            return Roster(self._read(_having(audience))).having(audience)
        return self._roster.having(audience)

    def _read_anew(self) -> None:
        self._begun += 1
        nth, changes = self._begun, self._changed()
        rows = self.rows.estimated_document_count()  # not each time: the embedded store reads every row
        roster = Roster(self._read({}) if rows <= ROSTER_AT_MOST else ())
        self._roster, self._rows, self._read_at, self._done = roster, rows, changes, nth

    def _changed(self) -> int:
        found = self._changes.find_one(_CHANGES)
        return found["count"] if found else 0

    def _read(self, query: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
        return self.rows.find(query, {"joined_at": True, "roles": True, "tags": True}).batch_size(BATCH)


class ReachStore(Rows[Reach]):
    """The copy of members' addresses, languages and zones, used only to write to the members themselves."""

    collection = "reach"


def _having(audience: Mapping[str, Any]) -> dict[str, Any]:
    ways = [{name: {"$in": audience[name]}} for name in _WAYS if audience[name]]
    return dict(ways[0]) if len(ways) == 1 else {"$or": ways}
