"""Deeds: restricted acts of members. The service that saved a deed announces it to the audit log."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from services.contracts.catalogue import Announcement, Message
from services.contracts.moments import to_text


class Actor(Protocol):
    """The member who did it, and the network of their call."""

    @property
    def id(self) -> str: ...

    @property
    def network(self) -> str | None: ...


def noted(
    message: Message,
    operation: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
    *,
    by: Actor | None,
    shows: Sequence[str],
) -> Announcement:
    """The announcement of a deed about an aggregate that is saved with it.

    `operation` is the route's `operationId`. `by` is None for a deed on the machine itself. `shows` names the fields
    whose values before and after are told: never words of a person, an address or a secret.
    """
    return message.about(
        {"_id": after["_id"], "changed_at": after["changed_at"]},
        operation=operation,
        subject_id=after["_id"],
        actor_id=by and by.id,
        network=by and by.network,
        before=before and _shown(before, shows),
        after=_shown(after, shows),
    )


def read(
    message: Message, operation: str, reading: Mapping[str, Any], subject_id: str | None, *, by: Actor
) -> Announcement:
    """The announcement that somebody read what only some may read. `reading` is the aggregate saved for it."""
    how = {"subject_id": subject_id, "actor_id": by.id, "network": by.network}
    return message.about(reading, operation=operation, **how, before=None, after=None)


def _shown(aggregate: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    found = {name: aggregate.get(name) for name in names}
    return {name: to_text(value) if isinstance(value, datetime) else value for name, value in found.items()}
