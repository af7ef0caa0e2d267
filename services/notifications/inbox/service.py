"""The inbox answers the calls about a member's notifications, and deletes old ones."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from services.chassis import cursors
from services.chassis.numbers import Number
from services.chassis.rpc import answers
from services.chassis.schedule import every
from services.chassis.store import Store
from services.contracts import wording
from services.contracts.calls import notifications as calls
from services.contracts.errors import NotFound
from services.contracts.shapes import notifications as shapes
from services.ground import clock, identifiers
from services.ground.tokens import Caller
from services.notifications.house.domain import House
from services.notifications.house.store import HouseStore
from services.notifications.inbox import domain
from services.notifications.inbox.store import InboxStore
from services.notifications.people.store import PeopleStore

CATCH_UP_AT_MOST = 500
DAY = timedelta(days=1)

_notification = shapes.Notification()


class Inbox:
    """Members read their notifications, as long as these are kept."""

    name = "notifications.inbox"
    inbox = Store(InboxStore)
    people = Store(PeopleStore, sibling=True)
    house = Store(HouseStore, sibling=True)
    days = Number("INBOX_DAYS")

    @answers(calls.LIST_NOTIFICATIONS)
    def browse(self, caller: Caller, query: dict[str, Any]) -> Any:
        """A page of the caller's notifications, newest first."""
        reader, after = _reader(caller), cursors.read(query["cursor"], int, str)
        found, following = self.inbox.youngest(reader, unread=query["unread"], after=after, limit=query["limit"])
        hub = self.house.seen()
        return {"items": [_shown(each, caller, hub) for each in found], "next": cursors.write(following)}

    @answers(calls.COUNT_UNREAD)
    def unread(self, caller: Caller) -> Any:
        """The number of the caller's unread notifications."""
        return {"unread": self.inbox.unread(_reader(caller))}

    @answers(calls.MARK_READ)
    def read(self, caller: Caller, notification_id: str) -> None:
        """Mark one of the caller's notifications as read."""
        if not self.inbox.read(_reader(caller), notification_id, clock.now()):
            raise NotFound.of(notification_id)

    @answers(calls.MARK_ALL_READ)
    def read_all(self, caller: Caller) -> Any:
        """Mark all present notifications as read."""
        return {"marked": self.inbox.read_all(_reader(caller), clock.now())}

    @answers(calls.CATCH_UP)
    def since(self, caller: Caller, after: str) -> Any:
        """The notifications since an event of the live stream, oldest first, each with its `event_id`."""
        last = shapes.moment_of(after)
        found = self.inbox.since(_reader(caller), domain.seen_until(last), CATCH_UP_AT_MOST) if last else []
        hub = self.house.seen()
        lines = [
            _shown(each, caller, hub) | {"event_id": shapes.event_id(each["at"], each["notification"])}
            for each in found
        ]
        return {"items": [line for line in lines if line["event_id"] != after]}

    @every(DAY, within=timedelta(minutes=10))
    def forget_lines(self) -> None:
        """Delete the lines that were kept long enough, those of a thousand members at a time."""
        before = domain.kept_since(clock.now(), self.days)
        for member_ids in self.people.everybody():
            self.inbox.forget(member_ids, before)

    @every(DAY, within=timedelta(minutes=10))
    def forget_broadcasts(self) -> None:
        """Delete the broadcasts that were kept long enough."""
        self.inbox.broadcasts.forget(domain.kept_since(clock.now(), self.days))


def _reader(caller: Caller) -> domain.Reader:
    return domain.Reader(caller.id, identifiers.moment(caller.id))  # a member's id holds the moment they joined


def _shown(line: Mapping[str, Any], caller: Caller, hub: House) -> Any:
    """The line with its sentence, in the caller's language and zone, else the hub's.

    A line of an older version has a sentence already, in English.
    """
    if "facts" in line:
        language, zone = caller.language or hub["language"], caller.zone or hub["zone"]
        said = wording.said(line["kind"], line["facts"], language=language, zone=zone, home=hub["zone"])
        line = {**line, **said}
    return _notification.dump(line)
