"""The calls that events answers."""

from services.contracts.calling import ask
from services.contracts.errors import Conflict, Forbidden, NotFound
from services.contracts.roles import ADMINISTRATORS, HOSTS, MEMBERS, ORGANISERS
from services.contracts.shapes.events import Cancellation, Event, EventChange, EventDraft, EventPage, EventQuery
from services.contracts.shapes.parts import Id

DRAFT_EVENT = ask(
    "events.calendar.draft",
    operation="draft_event",
    says="Draft an event; nobody is told of it yet.",
    takes={"draft": EventDraft},
    makes=Event,
    may=ORGANISERS,
    refuses=(Forbidden,),
)
CHANGE_EVENT = ask(
    "events.calendar.change",
    operation="change_event",
    says="Change a draft: only the fields that are sent.",
    takes={"event_id": Id, "change": EventChange},
    gives=Event,
    may=ADMINISTRATORS,
    own=HOSTS,
    refuses=(Forbidden, NotFound, Conflict),
)
PUBLISH_EVENT = ask(
    "events.calendar.publish",
    operation="publish_event",
    says="Publish a draft; its audience is told.",
    takes={"event_id": Id},
    gives=Event,
    may=ADMINISTRATORS,
    own=HOSTS,
    refuses=(Forbidden, NotFound, Conflict),
)
CANCEL_EVENT = ask(
    "events.calendar.cancel",
    operation="cancel_event",
    says="Cancel an event; those who were told of it are told why.",
    takes={"event_id": Id, "cancellation": Cancellation},
    gives=Event,
    may=ADMINISTRATORS,
    own=HOSTS,
    refuses=(Forbidden, NotFound, Conflict),
)
LIST_EVENTS = ask(
    "events.calendar.browse",
    operation="list_events",
    says="List events by their start.",
    takes={"query": EventQuery},
    gives=EventPage,
    may=MEMBERS,
)
SHOW_EVENT = ask(
    "events.calendar.show",
    operation="show_event",
    says="Show an event.",
    takes={"event_id": Id},
    gives=Event,
    may=MEMBERS,
    refuses=(NotFound,),
)
