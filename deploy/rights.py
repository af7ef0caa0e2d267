"""The rights on the bus: the least that works, derived from the code's declarations, announcements and handlers.

A service owns nothing there: exchanges, queues and bindings are the operator's. It reads its own queues, announces its
own messages, answers calls, and calls no other service. It can't reach the default exchange, which leads everywhere.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from deploy.capabilities import capabilities
from deploy.secrets import SERVICES
from gateway.app import hears
from services.chassis.bus import DEAD, RPC_EXCHANGE, declare_exchanges
from services.chassis.bus.topology import declare_handler, declare_retries, retry_exchange
from services.chassis.messaging import hearers, retired
from services.chassis.rpc import declare_calls
from services.contracts.calls import CALLS
from services.contracts.catalogue import CATALOGUE, EXCHANGE, PRIVATE, Message
from services.ground.settings import RETRY_DELAYS

NOTHING = "^$"
OF_SERVICES = rf"({'|'.join(SERVICES)})\."

Entry = dict[str, Any]


class Topology:
    """Records declarations. It has the methods of a channel but sends nothing."""

    def __init__(self) -> None:
        self.exchanges: list[Entry] = []
        self.queues: list[Entry] = []
        self.bindings: list[Entry] = []

    def exchange_declare(self, name: str, type: str, *, durable: bool, auto_delete: bool) -> None:
        lasting = {"durable": durable, "auto_delete": auto_delete, "internal": False}
        self.exchanges.append({"name": name, "vhost": "/", "type": type, **lasting, "arguments": {}})

    def queue_declare(
        self, name: str, *, durable: bool, auto_delete: bool, arguments: Mapping[str, Any] | None = None
    ) -> None:
        lasting = {"durable": durable, "auto_delete": auto_delete}
        self.queues.append({"name": name, "vhost": "/", **lasting, "arguments": dict(arguments or {})})

    def queue_bind(self, queue: str, exchange: str, key: str = "") -> None:
        to = {"destination": queue, "destination_type": "queue"}
        self.bindings.append({"source": exchange, "vhost": "/", **to, "routing_key": key, "arguments": {}})


def rights() -> dict[str, list[Entry]]:
    """Definitions for a broker whose users are the services, `gateway` and `operator`: everything except the users."""
    topology, heard = Topology(), hearers(capabilities())
    declare_exchanges(topology)
    declare_retries(topology, RETRY_DELAYS)
    for key, queues in heard.items():
        for queue in queues:
            declare_handler(topology, queue, CATALOGUE[key])
    for capability in capabilities():
        declare_calls(topology, capability.name)  # type: ignore[attr-defined]
    former = retired(capabilities())
    listening = {queue.partition(".")[0] for queues in heard.values() for queue in queues}
    permissions, topics = [], []
    for name in SERVICES:
        retries = [retry_exchange(seconds) for seconds in RETRY_DELAYS] if name in listening else []
        parks = [DEAD, *map(re.escape, retries)] if retries else []
        announces = [exchange for exchange in (EXCHANGE, PRIVATE) if _announced_by(name, exchange) != NOTHING]
        left = {queue: message for queue, message in former.items() if queue.startswith(f"{name}.")}
        leaves = {message.exchange for message in left.values()}  # unbinding writes to a queue and reads an exchange
        write = [*announces, RPC_EXCHANGE, *parks, *map(re.escape, sorted(left))]
        permissions.append(_may(name, write=write, read=[rf"(rpc-)?{name}\..+", *sorted(leaves)]))
        topics += [
            *(
                _topics(name, each, _announced_by(name, each), _keys(m for m in left.values() if m.exchange == each))
                for each in (EXCHANGE, PRIVATE)
                if each in announces or each in leaves
            ),
            _topics(name, RPC_EXCHANGE, write=rf"^(?!{OF_SERVICES})"),
            *(_topics(name, each, write=rf"^{name}\.") for each in retries),
        ]
    asks = [r"gateway\..+", RPC_EXCHANGE]
    shown = {exchange: _heard_by_gateway(exchange) for exchange in (EXCHANGE, PRIVATE)}
    listens = [exchange for exchange, keys in shown.items() if keys != NOTHING]
    permissions += [
        _may("gateway", configure=[r"gateway\..+"], write=[*asks, PRIVATE], read=[*asks, *listens]),
        _may("operator", configure=[".*"], write=[".*"], read=[".*"]),
    ]
    topics += [
        _topics("gateway", EXCHANGE, read=shown[EXCHANGE]),
        _topics("gateway", PRIVATE, write=_announced_by("gateway", PRIVATE), read=shown[PRIVATE]),
        _topics("gateway", RPC_EXCHANGE, write=f"^(?!{_for_operators()}){OF_SERVICES}", read=r"^gateway\."),
    ]
    return {
        "vhosts": [{"name": "/"}],
        "exchanges": topology.exchanges,
        "queues": topology.queues,
        "bindings": topology.bindings,
        "permissions": permissions,
        "topic_permissions": topics,
    }


def _may(user: str, configure: Sequence[str] = (), write: Sequence[str] = (), read: Sequence[str] = ()) -> Entry:
    return {"user": user, "vhost": "/", "configure": _any(configure), "write": _any(write), "read": _any(read)}


def _topics(user: str, exchange: str, write: str = NOTHING, read: str = NOTHING) -> Entry:
    return {"user": user, "vhost": "/", "exchange": exchange, "write": write, "read": read}


def _any(patterns: Sequence[str]) -> str:
    return f"^({'|'.join(patterns)})$" if patterns else NOTHING


def _keys(messages: Iterable[Message]) -> str:
    return _any(sorted({re.escape(message.key) for message in messages}))


def _for_operators() -> str:
    """The calls that only operators make: they need no token, and show and change what the gateway never asks for."""
    return f"({'|'.join(re.escape(call.target) for call in CALLS.values() if call.operator)})$"


def _announced_by(name: str, exchange: str) -> str:
    return _keys(message for message in CATALOGUE.values() if (message.by, message.exchange) == (name, exchange))


def _heard_by_gateway(exchange: str) -> str:
    return _keys(message for message in hears().values() if message.exchange == exchange)
