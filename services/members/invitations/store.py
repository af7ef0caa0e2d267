"""The store of invitations: one document per invitation."""

from datetime import datetime
from typing import Any

from pymongo import IndexModel

from services.chassis.aggregates import Aggregates
from services.members.invitations.domain import Invitation


class InvitationStore(Aggregates[Invitation]):
    """Invitations, found by the hash of their code. The store deletes them a year after they expire."""

    collection = "invitations"
    taken = "Somebody else has just invited this address. Invite it again to see the code of that invitation."
    indexes = (
        IndexModel([("code_hash", 1)], unique=True),
        IndexModel([("open_for", 1)], unique=True, sparse=True),
        IndexModel([("email", 1)]),
        IndexModel([("by", 1)]),
        IndexModel([("expires_at", 1)], expireAfterSeconds=365 * 86_400),
    )

    def prepare(self) -> None:
        """Make the indexes. Also copy the sender of older invitations from their history, where alone they kept it."""
        super().prepare()
        earlier = {"by": None}
        for each in list(self.rows.find(earlier, {"history": True})):
            self.rows.update_one({"_id": each["_id"], **earlier}, {"$set": {"by": each["history"][0]["by"]}})

    def by_code(self, code_hash: str) -> Invitation | None:
        """The invitation with this code."""
        return self.first({"code_hash": code_hash})

    def open_for(self, email: str) -> Invitation | None:
        """The open invitation for an address."""
        return self.first({"open_for": email})

    def youngest(self, *, after: str | None, limit: int) -> tuple[list[Invitation], str | None]:
        """A page of all invitations, youngest first."""
        return self.page({}, by="_id", ascending=False, after=after, limit=limit)

    def close(self, by: str, now: datetime) -> None:
        """Withdraw all open invitations of a sender, regardless of concurrent changes."""
        self._close({"by": by, "used_by": None, "withdrawn_at": None}, now)

    def close_for(self, email: str, now: datetime) -> None:
        """Withdraw all invitations for an address, used ones too, so that they can't lead back to the hub."""
        self._close({"email": email}, now)

    def _close(self, which: dict[str, Any], now: datetime) -> None:
        for each in list(self.rows.find(which, {"_id": True})):  # one by one: `open_for` becomes the own id of each
            closed = {"withdrawn_at": now, "changed_at": now, "open_for": each["_id"]}
            self.rows.update_one({"_id": each["_id"]}, {"$set": closed, "$inc": {"version": 1}})
