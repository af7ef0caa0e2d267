"""The rules of the audit log: its readers, and how long it keeps an entry."""

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
    """An entry with exactly the facts in `FACTS`. A missing fact is None."""
    return {"_id": id, "at": at, **{name: facts.get(name) for name in FACTS}}


def reading(operation: str, actor_id: str, network: str | None, id: str, now: datetime) -> Entry:
    """The entry for reading a restricted list."""
    return entry(id, now, {"operation": operation, "actor_id": actor_id, "network": network, "outcome": "done"})


def complete(entry: Entry) -> Entry:
    """The entry with all facts. Earlier versions kept fewer; those are None."""
    return {**dict.fromkeys(FACTS), **entry}


def check_reader(roles: Collection[str]) -> None:
    """Check that these roles may read the log. Raises Forbidden."""
    if "administrator" not in roles:
        raise Forbidden("administrators_only", "Only administrators read the audit log.")
