"""The calls that the house answers."""

from typing import Any

from services.chassis.rpc import answers
from services.chassis.store import Store
from services.contracts.calls import house as calls
from services.contracts.catalogue import Announcement
from services.contracts.deeds import noted
from services.contracts.messages.members import MEMBERS_HOUSE_CHANGED, MEMBERS_NOTED
from services.contracts.shapes import house as shapes
from services.ground import clock
from services.ground.tokens import Caller
from services.members.accounts.domain import check_administrator
from services.members.accounts.store import AccountStore
from services.members.house import domain
from services.members.house.store import HouseStore

_house = shapes.House()


class House:
    """The hub's description of itself. Administrators change it; everybody may read it."""

    name = "members.house"
    house = Store(HouseStore)
    accounts = Store(AccountStore, sibling=True)

    @answers(calls.SHOW_HOUSE)
    def show(self) -> Any:
        """The hub as it is now."""
        return _house.dump(self.house.present())

    @answers(calls.CHANGE_HOUSE)
    def change(self, caller: Caller, change: dict[str, Any]) -> Any:
        """Change the hub's description of itself."""
        check_administrator(self.accounts.roles(caller.id), "Only administrators change the hub itself.")
        before = self.house.present(asked_for=True)
        after = domain.change(before, change, by=caller.id, now=clock.now())
        deed = noted(MEMBERS_NOTED, "change_house", before, after, by=caller, shows=domain.NO_WORDS)
        return _house.dump(self.house.keep(after, announcing=_changed(after), noting=deed))

    @answers(calls.REPLAY_HOUSE)
    def replay(self) -> Any:
        """Announce the present state of the hub again, if it was ever changed."""
        found = self.house.find(domain.ID)
        if found is not None:
            self.house.repeat(found, _changed(found))
        return {"announced": int(found is not None)}


def _changed(house: domain.House) -> Announcement:
    return MEMBERS_HOUSE_CHANGED.about(house, house_id=house["_id"])
