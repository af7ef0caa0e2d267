"""The calls that the calendar answers."""

from collections.abc import Callable
from typing import Any

from services.chassis import cursors
from services.chassis.names import named, naming
from services.chassis.rpc import answers
from services.chassis.schedule import due
from services.chassis.store import Store
from services.contracts.calls import events as calls
from services.contracts.catalogue import Announcement
from services.contracts.deeds import noted
from services.contracts.messages.events import (
    EVENTS_CANCELLED,
    EVENTS_CHANGED,
    EVENTS_ENDED,
    EVENTS_NOTED,
    EVENTS_PUBLISHED,
)
from services.contracts.shapes import events as shapes
from services.events.calendar import domain
from services.events.calendar.domain import Event
from services.events.calendar.store import EventStore
from services.events.people.store import PeopleStore
from services.ground import clock, identifiers
from services.ground.tokens import Caller

_event = shapes.Event()


class Calendar:
    """The events of the hub. Organisers draft, publish, correct and cancel them; all members read them."""

    name = "events.calendar"
    events = Store(EventStore)
    people = Store(PeopleStore, sibling=True)

    @answers(calls.DRAFT_EVENT)
    def draft(self, caller: Caller, draft: dict[str, Any]) -> Any:
        """Draft an event. It is not announced yet."""
        now = clock.now()
        event = domain.draft(draft, by=caller, id=identifiers.new_id(now), now=now)
        show = self._showing(event)
        return show(self.events.add(event, noting=_deed("draft_event", None, event, caller)))

    @answers(calls.CHANGE_EVENT)
    def change(self, caller: Caller, event_id: str, change: dict[str, Any]) -> Any:
        """Change a draft, or correct a published event. Who was told of it hears what reads otherwise."""
        before, now = self.events.get(event_id, asked_for=True), clock.now()
        event = domain.change(before, change, by=caller, now=now)
        changes, facts = domain.changes(before, event), domain.facts(event, actor_id=caller.id)
        announcing = EVENTS_CHANGED.about(event, changes=changes, **facts) if changes else None
        deed, show = _deed("change_event", before, event, caller), self._showing(event)
        return show(self.events.save(event, announcing=announcing, noting=deed))

    @answers(calls.PUBLISH_EVENT)
    def publish(self, caller: Caller, event_id: str) -> Any:
        """Publish a draft. Its audience is told."""
        before, now = self.events.get(event_id, asked_for=True), clock.now()
        event = domain.publish(before, by=caller, now=now)
        published = EVENTS_PUBLISHED.about(event, **domain.facts(event, actor_id=caller.id))
        deed, show = _deed("publish_event", before, event, caller), self._showing(event)
        return show(self.events.save(event, announcing=published, noting=deed))

    @answers(calls.CANCEL_EVENT)
    def cancel(self, caller: Caller, event_id: str, cancellation: dict[str, Any]) -> Any:
        """Cancel an event. The cancellation is announced if the event was."""
        before, now, reason = self.events.get(event_id, asked_for=True), clock.now(), cancellation["reason"]
        event = domain.cancel(before, reason, by=caller, now=now)
        cancelled = EVENTS_CANCELLED.about(event, reason=reason, **domain.facts(event, actor_id=caller.id))
        announcing, deed = cancelled if domain.was_public(event) else None, _deed("cancel_event", before, event, caller)
        show = self._showing(event)
        return show(self.events.save(event, announcing=announcing, noting=deed))

    @due("events", by="end_due_at")
    def end(self, event: Event) -> None:
        """End an event when its time is over."""
        ended = domain.end(event, now=clock.now())
        self.events.save(ended, announcing=EVENTS_ENDED.about(ended, event_id=ended["_id"]))

    @answers(calls.SHOW_EVENT)
    def show(self, caller: Caller, event_id: str) -> Any:
        """One event."""
        event = domain.visible(self.events.get(event_id), by=caller)
        return self._showing(event)(event)

    @answers(calls.LIST_EVENTS)
    def browse(self, caller: Caller, query: dict[str, Any]) -> Any:
        """A page of events by their start. Drafts are listed for their host only."""
        search, after = domain.search(query, by=caller), cursors.read(query["cursor"], int, str)
        found, following = self.events.by_start(search, after=after, limit=query["limit"])
        return cursors.page(_event, self._with_hosts(found), following)

    @answers(calls.OPEN_LEDGER)
    def ledger(self, query: dict[str, Any]) -> Any:
        """A page of everybody's events by their start; called on the bus only, by operators."""
        search = domain.Search(query["status"], public=False, ends_after=query["ends_after"])
        after = cursors.read(query["cursor"], int, str)
        found, following = self.events.by_start(search, after=after, limit=query["limit"])
        return {"items": _event.dump(self._with_hosts(found), many=True), "next": cursors.write(following)}

    def _showing(self, event: Event) -> Callable[[Event], Any]:
        """What shows the event once it is saved. The name is read before: after a save, nothing may fail."""
        with_host = naming(self.people, [event], host_name="host_id")
        return lambda saved: _event.dump(with_host(saved))

    def _with_hosts(self, events: list[Event]) -> list[dict[str, Any]]:
        return named(self.people, events, host_name="host_id")


def _deed(operation: str, before: Event | None, after: Event, by: Caller) -> Announcement:
    return noted(EVENTS_NOTED, operation, before, after, by=by, shows=("status", "starts_at", "ends_at", "host_id"))
