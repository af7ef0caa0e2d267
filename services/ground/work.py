"""A piece of work, as traces know it."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

TRACEPARENT = "traceparent"
Facts = Mapping[str, str | int]
Kind = Literal["server", "client", "producer", "consumer"]


class Work(NamedTuple):
    """A piece of work. It joins the trace that `parent` names; without a parent it begins a new one."""

    name: str
    kind: Kind
    parent: str | None
    facts: Facts
