"""A piece of work, as traces know it."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

TRACEPARENT = "traceparent"
Facts = Mapping[str, str | int]
Kind = Literal["server", "client", "producer", "consumer"]


class Work(NamedTuple):
    """A piece of work that somebody else began: it belongs to their trace, which `parent` names, or begins one."""

    name: str
    kind: Kind
    parent: str | None
    facts: Facts
