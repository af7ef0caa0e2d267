"""What the platform consists of, by the services' own code."""

import importlib
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

RPC_QUEUE = "rpc-{}"


def _load(module: str) -> Any:
    """A module of the services; only when it is needed, for it takes a second."""
    with warnings.catch_warnings(action="ignore"):  # eventlet's word on its future
        return importlib.import_module(module)


@cache
def _classes() -> list[Any]:
    found = _load("deploy.capabilities")
    with warnings.catch_warnings(action="ignore"):  # it loads the services one by one
        return list(found.capabilities())


def capabilities() -> list[str]:
    """Their names: `members.accounts`, …"""
    return [each.name for each in _classes()]


def services() -> list[str]:
    """Their names, in the order of the capabilities."""
    return list(dict.fromkeys(name.partition(".")[0] for name in capabilities()))


def handlers() -> dict[str, str]:
    """The queues of the handlers, each with the type of the messages that it hears."""
    heard = _load("services.chassis.messaging").hearers(_classes())
    return {queue: type for type, queues in heard.items() for queue in queues}


def retired() -> list[str]:
    """The queues that handlers had under former names."""
    return list(_load("services.chassis.messaging").retired(_classes()))


def replaying() -> list[str]:
    """The calls by which capabilities announce their state again."""
    return [f"{each.name}.replay" for each in _classes() if callable(getattr(each, "replay", None))]


def left_out() -> set[str]:
    """The collections that a backup does not hold, as their stores say: `members/sessions`, …"""
    _classes()  # which loads all stores
    found: set[str] = set()
    for kind in _kinds(_load("services.chassis.store").Rows):
        service = kind.__module__.split(".")[1]
        if hasattr(kind, "collection") and not kind.keeps:
            found |= {f"{name}/{kind.collection}" for name in (services() if service == "chassis" else [service])}
    return found


def _kinds(kind: Any) -> Iterator[Any]:
    for each in kind.__subclasses__():
        yield each
        yield from _kinds(each)


def retry_queue(seconds: int) -> str:
    """The queue in which messages wait so long for their next try."""
    return f"retry.{_load('services.chassis.bus.topology').delay_name(seconds)}"
