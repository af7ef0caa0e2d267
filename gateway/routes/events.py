"""Events: workshops and other meetings that members attend."""

from gateway.api import Blueprint
from gateway.bus.shared import shared
from services.contracts.calls.events import (
    CANCEL_EVENT,
    CHANGE_EVENT,
    DRAFT_EVENT,
    LIST_EVENTS,
    PUBLISH_EVENT,
    SHOW_EVENT,
)
from services.contracts.messages.events import EVENTS_ENDED, EVENTS_NAME_LEARNED, EVENTS_NOTED
from services.contracts.roles import ORGANISERS

routes = Blueprint("events", __name__, description="The events of the hub.")

# Whatever somebody does with an event is noted, also what no member is told of, such as a new description.
TOLD = (EVENTS_NOTED, EVENTS_ENDED, EVENTS_NAME_LEARNED)
public_events = shared(until=TOLD, but_for=ORGANISERS)
public_lists = shared(until=TOLD, but_for=ORGANISERS, unless=({"status": "draft"}, {"mine": True}))

routes.post("/events", DRAFT_EVENT, location="/v1/events/{id}")
routes.patch("/events/<id:event_id>", CHANGE_EVENT)
routes.post("/events/<id:event_id>/publish", PUBLISH_EVENT)
routes.post("/events/<id:event_id>/cancel", CANCEL_EVENT)
routes.get("/events", LIST_EVENTS, sheet=True, shared=public_lists)
routes.get("/events/<id:event_id>", SHOW_EVENT, shared=public_events)
