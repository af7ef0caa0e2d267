"""The store of followers: a row for each member and subject, and the moment from which followers are known."""

from collections.abc import Sequence
from datetime import datetime

from pymongo import IndexModel

from services.chassis.rows import Rows, once
from services.contracts.errors import NotYet
from services.ground import clock, identifiers
from services.notifications.followers import domain
from services.notifications.followers.domain import Follower


class FollowerStore(Rows[Follower]):
    """Followers by what they follow."""

    collection = "followers"
    indexes = (IndexModel([("subject", 1), ("state", 1)]),)
    began: datetime

    def prepare(self) -> None:
        """Also note, once and for all processes, the moment from which followers are known."""
        super().prepare()
        self.began = once(self.documents, {"_id": "began", "at": domain.began(clock.now())})["at"]

    def of(self, subject: str, states: Sequence[str], *, awaited: bool) -> list[str]:
        """The ids of the followers of a subject in one of these states, in order.

        Raises NotYet if a follower is `awaited` and none is known yet, but one will be.
        """
        found = self.rows.find({"subject": subject, "state": {"$in": [*states]}}, {"member": True})
        ids = sorted(each["member"] for each in found)
        if awaited and not ids and not domain.may_stay_unknown(identifiers.moment(subject), self.began):
            raise NotYet("no_follower_yet", "Who follows this is not known yet.")
        return ids
