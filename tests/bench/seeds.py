"""Members by the thousand, put where notifications keeps its copy of them, and messages for all of them."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from pymongo.collection import Collection

from services.contracts.messages.events import EVENTS_PUBLISHED
from services.contracts.messages.feedback import FEEDBACK_ANSWERED
from services.ground import clock, identifiers
from services.notifications.fanout import domain as fanout
from services.notifications.fanout.domain import PORTION
from services.notifications.inbox.domain import line
from services.notifications.people.domain import person
from tests.bench.wire import event

TAG = "bench"
BYSTANDERS = 0.2  # as many members again have not the tag
TAGGED: dict[str, Any] = {"everyone": False, "roles": [], "tags": [TAG]}
EVERYONE: dict[str, Any] = {"everyone": True, "roles": [], "tags": []}
Document = dict[str, Any]


def seed(rows: Collection[Document], people: int, bystanders: float = 0.0) -> list[str]:
    """So many members with the tag, and some without; returns the ids of the former, in order."""
    joined_at = clock.now() - timedelta(days=1)
    ids = [identifiers.new_id(joined_at + timedelta(milliseconds=number)) for number in range(people)]
    others = [identifiers.new_id(joined_at) for _ in range(int(people * bystanders))]
    everybody = [(id, ["python", TAG]) for id in ids] + [(id, ["python"]) for id in others]
    for chunk in chunks(everybody):
        rows.insert_many(person(id, "Amara Okafor", ["coworker"], tags, joined_at, 1) for id, tags in chunk)
    return ids


def chunks(found: Iterable[Any], size: int = PORTION) -> Iterator[list[Any]]:
    """So many at once; as the fan-out takes them, unless it is said."""
    left = iter(found)
    while chunk := list(islice(left, size)):
        yield chunk


def published(audience: dict[str, Any]) -> Document:
    """The message that an event was published for this audience."""
    about = _event(clock.now(), audience)
    told = EVENTS_PUBLISHED.about(about, event_id=about["_id"], actor_id=about["host_id"])
    return event(EVENTS_PUBLISHED, about["_id"], told.data)


def lines(members: list[str]) -> list[Document]:
    """The lines that the fan-out of such a message puts into inboxes."""
    now = clock.now()
    about, id = _event(now, TAGGED), identifiers.new_id(now)
    facts = {name: about[name] for name in ("title", "starts_at", "ends_at", "place", "audience")}
    link, event_id = f"/v1/events/{about['_id']}", about["_id"]
    notice = fanout.notice(EVENTS_PUBLISHED.key, facts, link, event_id, about["ends_at"])
    return [line(member_id, id, notice, now) for member_id in members]


def answered(voice_id: str, text: str = "I need a lamp.", answer: str = "There is one in the cupboard.") -> Document:
    """The notice that each line about an answer to a voice keeps."""
    facts = {"text": text, "answer": answer}
    return fanout.notice(FEEDBACK_ANSWERED.key, facts, f"/v1/feedback/{voice_id}", voice_id)


def _event(now: datetime, audience: dict[str, Any]) -> Document:
    starts_at = now + timedelta(days=3)
    return {
        "_id": identifiers.new_id(now),
        "changed_at": now,
        "title": "Café morning: how we print",
        "touchpoint": "cafe",
        "place": "The café, ground floor",
        "link": None,
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(hours=1),
        "audience": audience,
        "host_id": identifiers.new_id(now),
    }
