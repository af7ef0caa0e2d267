"""The calls that audit answers and the messages that it hears."""

from typing import Any

from services.chassis import cursors
from services.chassis.messaging import Envelope, on
from services.chassis.names import named
from services.chassis.rpc import answers
from services.chassis.store import Store
from services.contracts.calls import members as calls
from services.contracts.messages.events import EVENTS_NOTED
from services.contracts.messages.feedback import FEEDBACK_NOTED
from services.contracts.messages.gateway import GATEWAY_NOTED
from services.contracts.messages.members import MEMBERS_NOTED
from services.contracts.shapes import audit as shapes
from services.ground.tokens import Caller
from services.members.accounts.store import AccountStore
from services.members.audit import domain
from services.members.audit.store import AuditStore

Facts = dict[str, Any] | None

_entry = shapes.AuditEntry()


class Audit:
    """The log of denials and privileged actions. Administrators read it."""

    name = "members.audit"
    entries = Store(AuditStore)
    accounts = Store(AccountStore, sibling=True)

    @on(GATEWAY_NOTED, queue="keep")
    def keep(
        self,
        message: Envelope,
        operation: str | None,
        method: str | None,
        path: str | None,
        subject_id: str | None,
        actor_id: str | None,
        outcome: str,
        status: int,
        code: str | None,
        network: str | None,
    ) -> None:
        """Keep a note of the gateway."""
        what = {"operation": operation, "method": method, "path": path, "subject_id": subject_id}
        how = {"actor_id": actor_id, "outcome": outcome, "status": status, "code": code, "network": network}
        self.entries.keep(domain.entry(message.id, message.at, what | how))

    @on(MEMBERS_NOTED, queue="keep_a_deed_of_members")
    def keep_a_deed_of_members(
        self,
        message: Envelope,
        operation: str,
        subject_id: str | None,
        actor_id: str | None,
        network: str | None,
        before: Facts,
        after: Facts,
    ) -> None:
        """Keep a deed that concerns an account, an invitation or the house."""
        what = {"operation": operation, "subject_id": subject_id, "before": before, "after": after}
        self._keep(message, what | {"actor_id": actor_id, "network": network})

    @on(EVENTS_NOTED, queue="keep_a_deed_of_events")
    def keep_a_deed_of_events(
        self,
        message: Envelope,
        operation: str,
        subject_id: str | None,
        actor_id: str | None,
        network: str | None,
        before: Facts,
        after: Facts,
    ) -> None:
        """Keep a deed that concerns an event or an offering."""
        what = {"operation": operation, "subject_id": subject_id, "before": before, "after": after}
        self._keep(message, what | {"actor_id": actor_id, "network": network})

    @on(FEEDBACK_NOTED, queue="keep_a_deed_of_feedback")
    def keep_a_deed_of_feedback(
        self,
        message: Envelope,
        operation: str,
        subject_id: str | None,
        actor_id: str | None,
        network: str | None,
        before: Facts,
        after: Facts,
    ) -> None:
        """Keep a deed that concerns a voice, or the reading of voices."""
        what = {"operation": operation, "subject_id": subject_id, "before": before, "after": after}
        self._keep(message, what | {"actor_id": actor_id, "network": network})

    @answers(calls.LIST_AUDIT_ENTRIES)
    def browse(self, caller: Caller, query: dict[str, Any]) -> Any:
        """A page of the entries, newest first. The reading itself is noted, too."""
        domain.check_reader(self.accounts.roles(caller.id))
        self.entries.note_reading("list_audit_entries", caller)
        after = cursors.read(query["cursor"], str)
        found, following = self.entries.youngest(
            outcome=query["outcome"], actor_id=query["actor_id"], after=after, limit=query["limit"]
        )
        entries = named(self.accounts, map(domain.complete, found), actor_name="actor_id", subject_name="subject_id")
        return cursors.page(_entry, entries, following)

    def _keep(self, message: Envelope, facts: dict[str, Any]) -> None:
        self.entries.keep(domain.entry(message.id, message.at, facts | {"outcome": "done"}))
