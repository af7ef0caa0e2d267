"""The rules of the audit log: its readers, and how long it keeps an entry."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, NotRequired, TypedDict, cast

from services.contracts.errors import Forbidden

KEPT = timedelta(days=365)


class Entry(TypedDict):
    """A denial, a privileged action or the reading of a restricted list. Entries of earlier versions lack facts."""

    _id: str
    at: datetime
    operation: NotRequired[str | None]
    method: NotRequired[str | None]
    path: NotRequired[str | None]
    subject_id: NotRequired[str | None]
    actor_id: NotRequired[str | None]
    outcome: NotRequired[str]
    status: NotRequired[int | None]
    code: NotRequired[str | None]
    network: NotRequired[str | None]
    before: NotRequired[dict[str, Any] | None]
    after: NotRequired[dict[str, Any] | None]


FACTS = Entry.__annotations__.keys() - {"_id", "at"}


def entry(id: str, at: datetime, facts: Mapping[str, Any]) -> Entry:
    """An entry with exactly the facts in `FACTS`. A missing fact is None."""
    return cast(Entry, {"_id": id, "at": at, **{name: facts.get(name) for name in FACTS}})


def reading(operation: str, actor_id: str, network: str | None, id: str, now: datetime) -> Entry:
    """The entry for reading a restricted list."""
    return entry(id, now, {"operation": operation, "actor_id": actor_id, "network": network, "outcome": "done"})


def complete(entry: Entry) -> Entry:
    """The entry with all facts. Earlier versions kept fewer; those are None."""
    return cast(Entry, {**dict.fromkeys(FACTS), **entry})


def check_reader(roles: Collection[str]) -> None:
    """Check that these roles may read the log. Raises Forbidden."""
    if "administrator" not in roles:
        raise Forbidden("administrators_only", "Only administrators read the audit log.")
