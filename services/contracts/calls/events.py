"""The calls that events answers."""

from services.contracts.calling import ask, listen
from services.contracts.roles import ADMINISTRATORS, HOSTS, MEMBERS, ORGANISERS, STAFF
from services.contracts.shapes.events import (
    Cancellation,
    Closing,
    Event,
    EventChange,
    EventDraft,
    EventPage,
    EventQuery,
    LedgerQuery,
    Offering,
    OfferingChange,
    OfferingDraft,
    OfferingPage,
    OfferingQuery,
)
from services.contracts.shapes.parts import Id

listen("events.people")

DRAFT_EVENT = ask(
    "events.calendar.draft",
    operation="draft_event",
    says="Draft an event; its audience is not told yet.",
    takes={"draft": EventDraft},
    makes=Event,
    may=ORGANISERS,
    refuses=("organisers_only",),
)
CHANGE_EVENT = ask(
    "events.calendar.change",
    operation="change_event",
    says="Change a draft, or correct a published event: only the fields that are sent; those told of it hear.",
    takes={"event_id": Id, "change": EventChange},
    gives=Event,
    may=ADMINISTRATORS,
    own=HOSTS,
    refuses=("not_found", "not_the_host", "organisers_only", "already_cancelled", "already_over", "audience_was_told"),
)
PUBLISH_EVENT = ask(
    "events.calendar.publish",
    operation="publish_event",
    says="Publish a draft; its audience is told.",
    takes={"event_id": Id},
    gives=Event,
    may=ADMINISTRATORS,
    own=HOSTS,
    refuses=("not_found", "not_the_host", "organisers_only", "not_a_draft"),
)
CANCEL_EVENT = ask(
    "events.calendar.cancel",
    operation="cancel_event",
    says="Cancel an event; the members who were told of it are told why.",
    takes={"event_id": Id, "cancellation": Cancellation},
    gives=Event,
    may=ADMINISTRATORS,
    own=HOSTS,
    refuses=("not_found", "not_the_host", "organisers_only", "already_cancelled", "already_over"),
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
    refuses=("not_found",),
)
OPEN_LEDGER = ask(
    "events.calendar.ledger",
    says="List everybody's events by their start, also drafts.",
    takes={"query": LedgerQuery},
    gives=EventPage,
    operator=True,
)

ADD_OFFERING = ask(
    "events.offerings.add",
    operation="add_offering",
    says="Add something that the hub offers; its audience is told.",
    takes={"draft": OfferingDraft},
    makes=Offering,
    may=STAFF,
    refuses=("staff_only",),
)
CHANGE_OFFERING = ask(
    "events.offerings.change",
    operation="change_offering",
    says="Change an offering: only the fields that are sent; its audience is told if it reads otherwise.",
    takes={"offering_id": Id, "change": OfferingChange},
    gives=Offering,
    may=STAFF,
    refuses=("not_found", "staff_only", "closed"),
)
CLOSE_OFFERING = ask(
    "events.offerings.close",
    operation="close_offering",
    says="Close an offering; its audience is told why.",
    takes={"offering_id": Id, "closing": Closing},
    gives=Offering,
    may=STAFF,
    refuses=("not_found", "staff_only", "closed"),
)
REOPEN_OFFERING = ask(
    "events.offerings.reopen",
    operation="reopen_offering",
    says="Open a closed offering again; its audience is told.",
    takes={"offering_id": Id},
    gives=Offering,
    may=STAFF,
    refuses=("not_found", "staff_only", "open"),
)
LIST_OFFERINGS = ask(
    "events.offerings.browse",
    operation="list_offerings",
    says="List what the hub offers, in the order in which it was added.",
    takes={"query": OfferingQuery},
    gives=OfferingPage,
    may=MEMBERS,
)
SHOW_OFFERING = ask(
    "events.offerings.show",
    operation="show_offering",
    says="Show an offering.",
    takes={"offering_id": Id},
    gives=Offering,
    may=MEMBERS,
    refuses=("not_found",),
)
