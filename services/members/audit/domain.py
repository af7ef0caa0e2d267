"""What is true of the audit log: who may read it, and how long an entry is kept."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from services.contracts.errors import Forbidden

Entry = dict[str, Any]

KEPT = timedelta(days=365)
FACTS = (
    *("operation", "method", "path", "subject_id", "actor_id", "outcome", "status", "code", "network"),
    *("before", "after"),
)


def entry(id: str, at: datetime, facts: Mapping[str, Any]) -> Entry:
    """An entry: exactly these facts; what is not told is null."""
    return {"_id": id, "at": at, **{name: facts.get(name) for name in FACTS}}


def reading(operation: str, actor_id: str, network: str | None, id: str, now: datetime) -> Entry:
    """The entry for somebody who reads what only some may."""
    return entry(id, now, {"operation": operation, "actor_id": actor_id, "network": network, "outcome": "done"})


def complete(entry: Entry) -> Entry:
    """An entry with all facts; earlier versions kept fewer."""
    return {**dict.fromkeys(FACTS), **entry}


def check_reader(roles: Collection[str]) -> None:
    """Whether somebody with these roles may read the log. Raises Forbidden."""
    if "administrator" not in roles:
        raise Forbidden("administrators_only", "Only administrators read the audit log.")
