"""The store of the house: one document, written at the first change."""

from services.chassis import context
from services.chassis.aggregates import Aggregates, changed_meanwhile
from services.contracts.catalogue import Announcement
from services.contracts.errors import Conflict, NotFound, Stale
from services.members.house.domain import ID, UNCHANGED, House


class HouseStore(Aggregates[House]):
    """The house after its last change."""

    collection = "house"

    def present(self, *, asked_for: bool = False) -> House:
        """The house as it is now. `asked_for` means that the caller is about to change it."""
        try:
            return self.get(ID, asked_for=asked_for)
        except NotFound:
            return UNCHANGED

    def keep(self, house: House, *, announcing: Announcement, noting: Announcement) -> House:
        """Save the changed house. Raises Conflict or Stale if another change was faster."""
        if house["version"]:
            return self.save(house, announcing=announcing, noting=noting)
        expected = context.expected_versions(self.collection, ID)
        if expected is not None and house["version"] not in expected:
            raise changed_meanwhile(Stale)
        try:
            return self.add(house, announcing=announcing, noting=noting)
        except Conflict as first:
            raise changed_meanwhile(Conflict if expected is None else Stale) from first
