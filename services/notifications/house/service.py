"""The copy of the house hears of the hub's changes."""

from services.chassis.messaging import Envelope, on
from services.chassis.store import Store
from services.contracts.messages.members import MEMBERS_HOUSE_CHANGED
from services.notifications.house import domain
from services.notifications.house.store import HouseStore


class House:
    """Keeps the hub's language and zone, for members who choose none."""

    name = "notifications.house"
    house = Store(HouseStore)

    @on(MEMBERS_HOUSE_CHANGED, queue="learn_of_the_house")
    def learn_of_the_house(self, message: Envelope, zone: str, languages: list[str]) -> None:
        """Remember how the hub is now."""
        self.house.keep_youngest(domain.house(zone, languages, message.sequence))
