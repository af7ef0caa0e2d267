"""Refusals: one family per kind of "no", each with a stable code and a sentence that a person can act on.

A service raises them, RPC carries them by class name, and the gateway's one table turns them into HTTP.
"""

from typing import Any, Self

# This code must never be noted beside a name: the refused request may have been for an anonymous voice.
TOO_MANY_VOICES = "too_many_voices"


class Refusal(Exception):
    """A "no" that the caller is meant to read.

    `code` is a stable word for programs (`email_taken`), `says` a sentence for people, and `fields` a list of
    `{"field": dotted path, "says": sentence}` if particular fields are wrong. `after` is the number of seconds
    after which it is worth asking again, if that is known.
    """

    def __init__(
        self, code: str, says: str, fields: list[dict[str, str]] | None = None, *, after: int | None = None
    ) -> None:
        super().__init__(code, says, fields or [])
        self.code = code
        self.says = says
        self.fields = fields or []
        self.after = after

    def __str__(self) -> str:
        return self.says


class Invalid(Refusal):
    """The request has the wrong shape or content."""

    @classmethod
    def field(cls, name: str, says: str) -> "Invalid":
        """The common case: one field is wrong, and `says` tells what would be right."""
        return cls("invalid", f"{name}: {says}", [{"field": name, "says": says}])


class Unauthenticated(Refusal):
    """The caller gave no proof of who they are, or none that can be verified."""


class Forbidden(Refusal):
    """The caller is known and may not do this."""


class NotFound(Refusal):
    """The thing does not exist, or the caller may not know of it."""

    @classmethod
    def of(cls, id: str) -> Self:
        """The common case: nothing has this id, as far as the caller may know."""
        return cls("not_found", f"There is nothing with the id {id} that you may see. Look for it in its list.")


class Hidden(NotFound):
    """The thing exists, but this caller may not know of it. Answered exactly like NotFound, and noted as a denial."""


class Conflict(Refusal):
    """The request is right, but not in the present state; perhaps somebody else was faster."""


class Stale(Refusal):
    """The caller has seen an older version of what they want to change."""


class Unavailable(Refusal):
    """A part of the platform cannot answer now; the same call may succeed later."""


class TooMany(Refusal):
    """The caller asks more often than is allowed."""


class NotYet(Refusal):
    """A handler lacks something that another message will bring. It stays on the bus: the message is tried later."""


class Unexpected(Refusal):
    """The fault is ours. It is logged in its place, and told without internals."""


FAMILIES: dict[str, type[Refusal]] = {
    family.__name__: family
    for family in (
        Invalid,
        Unauthenticated,
        Forbidden,
        NotFound,
        Hidden,
        Conflict,
        Stale,
        Unavailable,
        TooMany,
        NotYet,
        Unexpected,
    )
}


def revive(error: dict[str, Any]) -> Refusal:
    """The refusal in an RPC reply, from `{"exc_type", "exc_args", …}`. An unknown family becomes Unexpected."""
    family = FAMILIES.get(error.get("exc_type", ""))
    args = error.get("exc_args") or []
    if family is None or len(args) != 3:
        return Unexpected("unexpected", "Something went wrong on our side. Please try again later.")
    after = error.get("after")
    return family(str(args[0]), str(args[1]), list(args[2]), after=after if isinstance(after, int) else None)


def field_errors(messages: Any, path: str = "") -> list[dict[str, str]]:
    """Flatten marshmallow's nested error messages to `[{"field": "audience.roles.0", "says": "…"}]`."""
    if isinstance(messages, dict):
        found: list[dict[str, str]] = []
        for key, below in messages.items():
            step = "" if key == "_schema" else str(key)
            found += field_errors(below, ".".join(part for part in (path, step) if part))
        return found
    return [{"field": path, "says": str(says)} for says in (messages if isinstance(messages, list) else [messages])]


def invalid(messages: Any) -> Invalid:
    """An Invalid from marshmallow's error messages, naming every wrong field."""
    fields = field_errors(messages)
    first = fields[0]
    return Invalid("invalid", f"{first['field']}: {first['says']}" if first["field"] else first["says"], fields)
