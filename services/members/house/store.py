"""What the house remembers: one document, from the first change on."""

from services.chassis.store import Aggregates
from services.contracts.catalogue import Announcement
from services.contracts.errors import Conflict, NotFound
from services.members.house.domain import ID, UNCHANGED, House


class HouseStore(Aggregates):
    """The house as it was changed last."""

    collection = "house"

    def present(self, *, asked_for: bool = False) -> House:
        """The house as it is now; the one that the caller has `asked_for` is theirs to change."""
        try:
            return self.get(ID, asked_for=asked_for)
        except NotFound:
            return UNCHANGED

    def keep(self, house: House, *, announcing: Announcement, noting: Announcement) -> House:
        """Save the changed house. Raises Conflict or Stale when somebody else was faster."""
        if house["version"]:
            return self.save(house, announcing=announcing, noting=noting)
        try:
            return self.add(house, announcing=announcing, noting=noting)
        except Conflict as first:
            raise Conflict("changed_meanwhile", "Somebody else changed this meanwhile; read it again.") from first
