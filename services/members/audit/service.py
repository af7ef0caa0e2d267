"""What audit answers and hears."""

from typing import Any

from services.chassis import cursors
from services.chassis.messaging import Envelope, on
from services.chassis.rpc import rpc
from services.chassis.store import Store
from services.chassis.tokens import Caller
from services.contracts.messages.gateway import GATEWAY_NOTED
from services.contracts.shapes import audit as shapes
from services.members.accounts.store import AccountStore
from services.members.audit import domain
from services.members.audit.store import AuditStore

_entry = shapes.AuditEntry()


class Audit:
    """Administrators see what was denied, and who did what only some may do."""

    name = "members.audit"
    entries = Store(AuditStore)
    accounts = Store(AccountStore, sibling=True)

    @on(GATEWAY_NOTED)
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
        """Keep what the gateway noted."""
        what = {"operation": operation, "method": method, "path": path, "subject_id": subject_id}
        how = {"actor_id": actor_id, "outcome": outcome, "status": status, "code": code, "network": network}
        self.entries.keep(domain.entry(message.id, message.at, what | how))

    @rpc(query=shapes.AuditQuery)
    def browse(self, caller: Caller, query: dict[str, Any]) -> Any:
        """A page of the entries, newest first."""
        domain.check_reader(self.accounts.roles(caller.id))
        after = cursors.read(query["cursor"], str)
        found, following = self.entries.youngest(
            outcome=query["outcome"], actor_id=query["actor_id"], after=after, limit=query["limit"]
        )
        return {"items": _entry.dump(found, many=True), "next": cursors.write(following)}
