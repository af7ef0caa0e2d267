"""Events: what members attend."""

from typing import Any

from gateway.api import Blueprint
from gateway.bus.rpc import call
from services.contracts.errors import Conflict, Forbidden, NotFound
from services.contracts.messages.events import EVENTS_CANCELLED, EVENTS_PUBLISHED
from services.contracts.shapes.events import (
    Cancellation,
    Event,
    EventChange,
    EventDraft,
    EventPage,
    EventQuery,
)
from services.contracts.shapes.parts import ROLES

routes = Blueprint("events", __name__, description="What happens at the hub.")


@routes.route("/events", methods=["POST"])
@routes.arguments(EventDraft)
@routes.response(201, Event, location="/v1/events/{id}")
@routes.refuses(Forbidden)
@routes.may("administrator", "host", "mentor", "trainer")
def draft_event(draft: dict[str, Any]) -> Any:
    """Draft an event; nobody is told of it yet."""
    return call("events.calendar", "draft", draft=draft)


@routes.route("/events/<id:event_id>", methods=["PATCH"])
@routes.arguments(EventChange)
@routes.response(200, Event)
@routes.refuses(Forbidden, NotFound, Conflict)
@routes.may("administrator", own=("host", "mentor", "trainer"))
def change_event(change: dict[str, Any], event_id: str) -> Any:
    """Change a draft: only the fields that are sent."""
    return call("events.calendar", "change", event_id=event_id, change=change)


@routes.route("/events/<id:event_id>/publish", methods=["POST"])
@routes.response(200, Event)
@routes.refuses(Forbidden, NotFound, Conflict)
@routes.may("administrator", own=("host", "mentor", "trainer"))
def publish_event(event_id: str) -> Any:
    """Publish a draft; its audience is told."""
    return call("events.calendar", "publish", event_id=event_id)


@routes.route("/events/<id:event_id>/cancel", methods=["POST"])
@routes.arguments(Cancellation)
@routes.response(200, Event)
@routes.refuses(Forbidden, NotFound, Conflict)
@routes.may("administrator", own=("host", "mentor", "trainer"))
def cancel_event(cancellation: dict[str, Any], event_id: str) -> Any:
    """Cancel an event; those who were told of it are told why."""
    return call("events.calendar", "cancel", event_id=event_id, cancellation=cancellation)


@routes.route("/events")
@routes.arguments(EventQuery, location="query")
@routes.response(200, EventPage, sheet=True)
@routes.may(*ROLES)
@routes.shared(EVENTS_PUBLISHED, EVENTS_CANCELLED, unless={"status": "draft"})
def list_events(query: dict[str, Any]) -> Any:
    """List events by their start."""
    return call("events.calendar", "browse", query=query)


@routes.route("/events/<id:event_id>")
@routes.response(200, Event)
@routes.refuses(NotFound)
@routes.may(*ROLES)
@routes.shared(EVENTS_PUBLISHED, EVENTS_CANCELLED)
def show_event(event_id: str) -> Any:
    """Show an event."""
    return call("events.calendar", "show", event_id=event_id)
