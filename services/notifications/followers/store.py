"""The store of followers: a row for each member and subject, and the moment from which followers are known."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from services.chassis.rows import Rows
from services.contracts.errors import NotYet
from services.ground import clock, identifiers
from services.notifications.followers import domain
from services.notifications.followers.domain import Follower

_MARK = {"_id": "began"}


class FollowerStore(Rows[Follower]):
    """Followers by what they follow."""

    collection = "followers"
    indexes = (IndexModel([("subject", 1), ("state", 1)]),)
    began: datetime

    def prepare(self) -> None:
        """Also note, once and for all processes, the moment from which followers are known."""
        super().prepare()
        with suppress(DuplicateKeyError):
            self.rows.insert_one({**_MARK, "at": domain.began(clock.now())})
        found: dict[str, Any] = self.rows.find_one(_MARK) or {}
        self.began = found["at"]

    def keep(self, follower: Follower) -> None:
        """Remember a follower, unless a younger row is there."""
        older = {"_id": follower["_id"], "sequence": {"$lt": follower["sequence"]}}
        with suppress(DuplicateKeyError):  # a younger row is there: no older one was found, and no second can be added
            self.rows.replace_one(older, follower, upsert=True)

    def of(self, subject: str, states: Sequence[str], *, awaited: bool) -> list[str]:
        """The ids of the followers of a subject in one of these states, in order.

        Raises NotYet if a follower is `awaited` and none is known yet, but one will be.
        """
        found = self.rows.find({"subject": subject, "state": {"$in": [*states]}}, {"member": True})
        ids = sorted(each["member"] for each in found)
        if awaited and not ids and not domain.may_stay_unknown(identifiers.moment(subject), self.began):
            raise NotYet("no_follower_yet", "Who follows this is not known yet.")
        return ids
