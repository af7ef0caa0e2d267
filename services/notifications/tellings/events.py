"""The tellings about events and offerings."""

from services.contracts.messages.events import (
    EVENTS_CANCELLED,
    EVENTS_CHANGED,
    EVENTS_OFFERING_CHANGED,
    EVENTS_OFFERING_CLOSED,
    EVENTS_OFFERING_OPENED,
    EVENTS_PUBLISHED,
)
from services.notifications.tellings.grammar import Audience, Followers, ThoseTold, follows, tell

HOSTING = "hosting"
TOLD_OF_IT = ThoseTold(
    EVENTS_PUBLISHED,
    besides=Followers("event_id", states=(HOSTING,), awaited=True),
    or_else=Audience("audience"),
)

follows(
    EVENTS_PUBLISHED,
    queue="learn_who_hosts_an_event",
    says="The host of an event follows it.",
    subject="event_id",
    member="host_id",
    state=HOSTING,
)

tell(
    EVENTS_PUBLISHED,
    queue="tell_of_an_event",
    says="The audience of an event hears of it.",
    to=Audience("audience"),
    category="events",
    facts=("title", "starts_at", "ends_at", "place", "audience"),
    about="event_id",
    link="/v1/events/{event_id}",
    expires="ends_at",
)

tell(
    EVENTS_CHANGED,
    queue="tell_of_a_changed_event",
    says="The members who were told of an event, and its host, hear what has changed.",
    to=TOLD_OF_IT,
    category="events",
    mandatory=True,
    facts=("title", "changes", "audience"),
    about="event_id",
    link="/v1/events/{event_id}",
    expires="ends_at",
)

tell(
    EVENTS_CANCELLED,
    queue="tell_of_a_cancellation",
    says="The members who were told of an event, and its host, hear that it is cancelled.",
    to=TOLD_OF_IT,
    category="events",
    mandatory=True,
    facts=("title", "starts_at", "reason", "audience"),
    about="event_id",
    link="/v1/events/{event_id}",
    expires="ends_at",
)

tell(
    EVENTS_OFFERING_OPENED,
    queue="tell_of_an_offering",
    says="The audience of an offering hears of it when it is new or open again.",
    to=Audience("audience"),
    category="offerings",
    facts=("name", "place", "how", "audience"),
    about="offering_id",
    link="/v1/offerings/{offering_id}",
)

tell(
    EVENTS_OFFERING_CHANGED,
    queue="tell_of_a_changed_offering",
    says="The audience of an offering hears that it has changed.",
    to=Audience("audience"),
    category="offerings",
    facts=("name", "place", "how", "audience"),
    about="offering_id",
    link="/v1/offerings/{offering_id}",
)

tell(
    EVENTS_OFFERING_CLOSED,
    queue="tell_of_a_closed_offering",
    says="The audience of an offering hears that it is closed, and why.",
    to=Audience("audience"),
    category="offerings",
    facts=("name", "reason", "audience"),
    about="offering_id",
    link="/v1/offerings/{offering_id}",
)
