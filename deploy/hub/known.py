"""The parts of the platform, read from the services' own code."""

import importlib
import warnings
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

RPC_QUEUE = "rpc-{}"


def _load(module: str) -> Any:
    """A module of the services. It is loaded only when needed, because that takes a second."""
    with warnings.catch_warnings(action="ignore"):  # eventlet warns about its own future
        return importlib.import_module(module)


@cache
def _classes() -> list[Any]:
    found = _load("deploy.capabilities")
    with warnings.catch_warnings(action="ignore"):  # it loads the services one by one
        return list(found.capabilities())


def capabilities() -> list[str]:
    """The names of the capabilities: `members.accounts`, …"""
    return [each.name for each in _classes()]


def services() -> list[str]:
    """The names of the services, in the order of the capabilities."""
    return list(dict.fromkeys(name.partition(".")[0] for name in capabilities()))


def handlers() -> dict[str, str]:
    """The queues of the handlers, each with the type of its messages."""
    heard = _load("services.chassis.messaging").hearers(_classes())
    return {queue: type for type, queues in heard.items() for queue in queues}


def retired() -> list[str]:
    """The queues that handlers had under former names."""
    return list(_load("services.chassis.messaging").retired(_classes()))


def replaying() -> list[str]:
    """The calls that make capabilities announce their state again."""
    declared = _load("services.contracts.calls").CALLS
    return [target for target, call in declared.items() if call.operator and call.method == "replay"]


def left_out() -> set[str]:
    """The collections that a backup leaves out (their stores have `keeps = False`): `members/sessions`, …"""
    _classes()  # this loads all stores
    found: set[str] = set()
    for kind in _kinds(_load("services.chassis.rows").Rows):
        service = kind.__module__.split(".")[1]
        if hasattr(kind, "collection") and not kind.keeps:
            found |= {f"{name}/{kind.collection}" for name in (services() if service == "chassis" else [service])}
    return found


def _kinds(kind: Any) -> Iterator[Any]:
    for each in kind.__subclasses__():
        yield each
        yield from _kinds(each)


def planned_for(row: Mapping[str, Any], field: str) -> datetime:
    """The moment for which a field planned a row. It stays the same while the row waits for another try."""
    found: datetime = _load("services.chassis.schedule").tries(row, field)[0]
    return found


def retry_queue(seconds: int) -> str:
    """The queue in which messages wait so long for their next try."""
    return f"retry.{_load('services.chassis.bus.topology').delay_name(seconds)}"
