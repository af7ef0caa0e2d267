"""The house: the hub's description of itself."""

from gateway.api import Blueprint
from gateway.bus.shared import shared
from services.contracts.calls.house import CHANGE_HOUSE, SHOW_HOUSE
from services.contracts.messages.members import MEMBERS_HOUSE_CHANGED

routes = Blueprint("house", __name__, description="The hub itself.")

routes.get("/house", SHOW_HOUSE, shared=shared(until=[MEMBERS_HOUSE_CHANGED], but_for=()))
routes.patch("/house", CHANGE_HOUSE)
