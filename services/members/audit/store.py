"""The store of the audit log: one row per entry. The store deletes it after a year."""

from pymongo import IndexModel

from services.chassis.rows import Rows, once, where
from services.ground import clock, identifiers
from services.ground.tokens import Caller
from services.members.audit.domain import KEPT, Entry, reading


class AuditStore(Rows[Entry]):
    """Entries. They never change, and their ids sort by time."""

    collection = "audit"
    indexes = (
        IndexModel([("outcome", 1), ("_id", -1)]),
        IndexModel([("actor_id", 1), ("_id", -1)]),
        IndexModel([("at", 1)], expireAfterSeconds=round(KEPT.total_seconds())),
    )

    def keep(self, entry: Entry) -> None:
        """Add an entry. If it is there already, it stays as it is."""
        once(self.rows, entry)

    def note_reading(self, operation: str, by: Caller) -> None:
        """Add the entry for reading a restricted list, now."""
        now = clock.now()
        self.keep(reading(operation, by.id, by.network, identifiers.new_id(now), now))

    def youngest(
        self, *, outcome: str | None, actor_id: str | None, after: str | None, limit: int
    ) -> tuple[list[Entry], str | None]:
        """A page of the entries, newest first. None for `outcome` or `actor_id` means any."""
        return self.page(where(outcome=outcome, actor_id=actor_id), by="_id", ascending=False, after=after, limit=limit)
