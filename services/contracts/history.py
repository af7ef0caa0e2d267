"""Histories: the last deeds that an aggregate remembers, for people to read. Rules ask facts, never a history."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar, cast

Aggregate = TypeVar("Aggregate", bound=Mapping[str, Any])
REMEMBERED = 50  # deeds, unless an aggregate says otherwise


def deed(now: datetime, by: str | None, what: str, **more: str) -> dict[str, Any]:
    """One deed; `by` is a member's id, or None where nobody did it or nobody is to know."""
    return {"at": now, "by": by, "what": what, **more}


def remembering(
    aggregate: Aggregate,
    now: datetime,
    by: str | None,
    what: str,
    *,
    most: int = REMEMBERED,
    merged: bool = False,
    **more: str,
) -> Aggregate:
    """The aggregate, changed now, with one deed more in its `history`. The oldest go beyond `most`.

    `merged`: the deed takes the place of the last one if that was of the same kind.
    """
    known = aggregate["history"][-most + 1 :]
    if merged and known and known[-1]["what"] == what:
        known = known[:-1]
    changed = {**aggregate, "changed_at": now, "history": [*known, deed(now, by, what, **more)]}
    return cast(Aggregate, changed)
