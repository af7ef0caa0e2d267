"""What the platform consists of, by the services' own code."""

import importlib
import warnings
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


def retry_queue(seconds: int) -> str:
    """The queue in which messages wait so long for their next try."""
    return f"retry.{_load('services.chassis.bus.topology').delay_name(seconds)}"
