"""Offerings: resources and services of the hub."""

from gateway.api import Blueprint
from gateway.bus.shared import shared
from services.contracts.calls.events import (
    ADD_OFFERING,
    CHANGE_OFFERING,
    CLOSE_OFFERING,
    LIST_OFFERINGS,
    REOPEN_OFFERING,
    SHOW_OFFERING,
)
from services.contracts.messages.events import (
    EVENTS_NAME_LEARNED,
    EVENTS_OFFERING_CHANGED,
    EVENTS_OFFERING_CLOSED,
    EVENTS_OFFERING_OPENED,
)
from services.contracts.roles import STAFF

routes = Blueprint("offerings", __name__, description="Offerings of the hub: rooms, machines, hours of mentoring.")

TOLD = (EVENTS_OFFERING_OPENED, EVENTS_OFFERING_CHANGED, EVENTS_OFFERING_CLOSED, EVENTS_NAME_LEARNED)
catalogue = shared(until=TOLD, but_for=STAFF)

routes.post("/offerings", ADD_OFFERING, location="/v1/offerings/{id}")
routes.patch("/offerings/<id:offering_id>", CHANGE_OFFERING)
routes.post("/offerings/<id:offering_id>/close", CLOSE_OFFERING)
routes.post("/offerings/<id:offering_id>/reopen", REOPEN_OFFERING)
routes.get("/offerings", LIST_OFFERINGS, sheet=True, shared=catalogue)
routes.get("/offerings/<id:offering_id>", SHOW_OFFERING, shared=catalogue)
