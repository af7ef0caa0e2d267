"""What is true of the audit log: who may read it, and how long an entry is kept."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from services.contracts.errors import Forbidden

Entry = dict[str, Any]

KEPT = timedelta(days=365)
FACTS = ("operation", "method", "path", "subject_id", "actor_id", "outcome", "status", "code", "network")


def entry(id: str, at: datetime, facts: Mapping[str, Any]) -> Entry:
    """An entry: exactly these facts; what is not told is null."""
    return {"_id": id, "at": at, **{name: facts.get(name) for name in FACTS}}


def administrator_added(member_id: str, id: str, now: datetime) -> Entry:
    """The entry for an administrator who was made on the machine itself, by whoever may work there."""
    return entry(id, now, {"operation": "add_administrator", "subject_id": member_id, "outcome": "done"})


def check_reader(roles: Collection[str]) -> None:
    """Whether somebody with these roles may read the log. Raises Forbidden."""
    if "administrator" not in roles:
        raise Forbidden("administrators_only", "Only administrators read the audit log.")
