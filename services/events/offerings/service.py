"""The calls that offerings answers."""

from collections.abc import Callable
from typing import Any

from services.chassis import cursors
from services.chassis.names import named, naming
from services.chassis.rpc import answers
from services.chassis.store import Store
from services.contracts.calls import events as calls
from services.contracts.catalogue import Announcement
from services.contracts.deeds import noted
from services.contracts.messages.events import (
    EVENTS_NOTED,
    EVENTS_OFFERING_CHANGED,
    EVENTS_OFFERING_CLOSED,
    EVENTS_OFFERING_OPENED,
)
from services.contracts.shapes import events as shapes
from services.events.offerings import domain
from services.events.offerings.domain import Offering
from services.events.offerings.store import OfferingStore
from services.events.people.store import PeopleStore
from services.ground import clock, identifiers
from services.ground.tokens import Caller

TOLD = frozenset({"name", "description", "place", "how", "link"})  # fields of an offering that members read

_offering = shapes.Offering()


class Offerings:
    """The catalogue of the hub's offerings. Administrators and hosts keep it; all members read it."""

    name = "events.offerings"
    offerings = Store(OfferingStore)
    people = Store(PeopleStore, sibling=True)

    @answers(calls.ADD_OFFERING)
    def add(self, caller: Caller, draft: dict[str, Any]) -> Any:
        """Add an offering. Its audience is told."""
        now = clock.now()
        offering = domain.add(draft, by=caller, id=identifiers.new_id(now), now=now)
        opened = EVENTS_OFFERING_OPENED.about(offering, **_facts(offering, caller))
        deed = _deed("add_offering", None, offering, caller)
        show = self._showing(offering)
        return show(self.offerings.add(offering, announcing=opened, noting=deed))

    @answers(calls.CHANGE_OFFERING)
    def change(self, caller: Caller, offering_id: str, change: dict[str, Any]) -> Any:
        """Change an offering. Its audience is told if a field that members read differs."""
        before = self.offerings.get(offering_id, asked_for=True)
        after = domain.change(before, change, by=caller, now=clock.now())
        changed = EVENTS_OFFERING_CHANGED.about(after, **_facts(after, caller))
        announcing = changed if domain.reads_otherwise(before, after, TOLD) else None
        return self._saved("change_offering", before, after, caller, announcing)

    @answers(calls.CLOSE_OFFERING)
    def close(self, caller: Caller, offering_id: str, closing: dict[str, Any]) -> Any:
        """Close an offering. Its audience is told the reason."""
        before = self.offerings.get(offering_id, asked_for=True)
        after = domain.close(before, **closing, by=caller, now=clock.now())
        closed = EVENTS_OFFERING_CLOSED.about(after, **closing, **_facts(after, caller))
        return self._saved("close_offering", before, after, caller, closed)

    @answers(calls.REOPEN_OFFERING)
    def reopen(self, caller: Caller, offering_id: str) -> Any:
        """Open a closed offering again. Its audience is told."""
        before = self.offerings.get(offering_id, asked_for=True)
        after = domain.reopen(before, by=caller, now=clock.now())
        opened = EVENTS_OFFERING_OPENED.about(after, **_facts(after, caller))
        return self._saved("reopen_offering", before, after, caller, opened)

    @answers(calls.SHOW_OFFERING)
    def show(self, caller: Caller, offering_id: str) -> Any:
        """One offering."""
        offering = self.offerings.get(offering_id)
        return self._showing(offering)(offering)

    @answers(calls.LIST_OFFERINGS)
    def browse(self, caller: Caller, query: dict[str, Any]) -> Any:
        """A page of the catalogue, oldest offering first."""
        after = cursors.read(query["cursor"], str)
        found, following = self.offerings.listed(status=query["status"], after=after, limit=query["limit"])
        return cursors.page(_offering, self._with_stewards(found), following)

    def _saved(
        self, operation: str, before: Offering, after: Offering, caller: Caller, announcing: Announcement | None
    ) -> Any:
        deed, show = _deed(operation, before, after, caller), self._showing(after)
        return show(self.offerings.save(after, announcing=announcing, noting=deed))

    def _showing(self, offering: Offering) -> Callable[[Offering], Any]:
        """What shows the offering once it is saved. The name is read before: after a save, nothing may fail."""
        with_steward = naming(self.people, [offering], steward_name="steward_id")
        return lambda saved: _offering.dump(with_steward(saved))

    def _with_stewards(self, offerings: list[Offering]) -> list[dict[str, Any]]:
        return named(self.people, offerings, steward_name="steward_id")


def _facts(offering: Offering, caller: Caller) -> dict[str, str]:
    return {"offering_id": offering["_id"], "actor_id": caller.id}


def _deed(operation: str, before: Offering | None, after: Offering, by: Caller) -> Announcement:
    return noted(EVENTS_NOTED, operation, before, after, by=by, shows=("status", "steward_id"))
