"""The store of offerings: one document per offering."""

from pymongo import IndexModel

from services.chassis.aggregates import Aggregates
from services.events.offerings.domain import Offering


class OfferingStore(Aggregates[Offering]):
    """Offerings, listed in the order in which they were added."""

    collection = "offerings"
    indexes = (IndexModel([("status", 1), ("_id", 1)]),)

    def listed(self, *, status: str, after: str | None, limit: int) -> tuple[list[Offering], str | None]:
        """A page of offerings of one status; `after` is the last id of the page before."""
        return self.page({"status": status}, by="_id", ascending=True, after=after, limit=limit)
