"""What sessions remembers: one document a session, thrown away by the store some time after it expired."""

from datetime import datetime
from typing import Any

from pymongo import IndexModel

from services.chassis.store import Aggregates


class SessionStore(Aggregates):
    """Sessions by id; ended ones are kept until they expire, so that a copied token is still recognised."""

    collection = "sessions"
    indexes = (
        IndexModel([("member_id", 1), ("ended", 1)]),
        IndexModel([("expires_at", 1)], expireAfterSeconds=86_400),
    )

    def end(self, id: str, why: str, now: datetime) -> None:
        """End a session, whatever happens to it at the same time: `signed_out` or `token_reused`."""
        self._end({"_id": id, "ended": None}, why, now)

    def end_all(self, member_id: str, why: str, now: datetime) -> None:
        """End every open session of a member."""
        self._end({"member_id": member_id, "ended": None}, why, now)

    def _end(self, which: dict[str, Any], why: str, now: datetime) -> None:
        self.rows.update_many(which, {"$set": {"ended": why, "changed_at": now}, "$inc": {"version": 1}})
