"""The calls that members answers about the hub itself."""

from services.contracts.calling import ask
from services.contracts.roles import ADMINISTRATORS
from services.contracts.shapes.house import House, HouseChange
from services.contracts.shapes.members import Replayed

SHOW_HOUSE = ask(
    "members.house.show",
    operation="show_house",
    says="Show the hub itself: its name, place, zone, languages, colours and promises.",
    gives=House,
    public=True,
)
CHANGE_HOUSE = ask(
    "members.house.change",
    operation="change_house",
    says="Change the facts about the hub: only the fields that are sent.",
    takes={"change": HouseChange},
    gives=House,
    may=ADMINISTRATORS,
    refuses=("administrators_only",),
)
REPLAY_HOUSE = ask(
    "members.house.replay",
    says="Announce the state of the hub again, so that copies can be rebuilt.",
    gives=Replayed,
    operator=True,
)
