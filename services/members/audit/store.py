"""The store of the audit log: one row per entry. The store deletes it after a year."""

from contextlib import suppress
from typing import Any

from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from services.chassis.rows import Rows
from services.members.audit.domain import KEPT, Entry


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
        with suppress(DuplicateKeyError):
            self.rows.insert_one(entry)

    def youngest(
        self, *, outcome: str | None, actor_id: str | None, after: str | None, limit: int
    ) -> tuple[list[Entry], str | None]:
        """A page of the entries, newest first. None for `outcome` or `actor_id` means any."""
        wanted: dict[str, Any] = {"outcome": outcome, "actor_id": actor_id}
        query = {name: value for name, value in wanted.items() if value is not None}
        return self.page(query, by="_id", ascending=False, after=after, limit=limit)
