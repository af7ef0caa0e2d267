"""Limits the rate of requests. Each worker counts them per minute, for a member or else an address.

A minute begins for all callers at once. So counting is one look into a dict, and forgetting is one assignment. The
counts of at most one minute are held.
"""

import functools
import ipaddress
import math
import time
from typing import Literal

from flask import request
from prometheus_client import Counter

from services.contracts.errors import TooMany

MINUTE = 60.0  # seconds
NEIGHBOURHOOD = 64  # bits of an IPv6 address: a customer gets at least such a network, and can use any address in it

REFUSED = Counter("hearth_gateway_limited_total", "Requests refused because of a limit.", ["kind"])

Kind = Literal["member", "anonymous", "sign_in"]


class Rates:
    """Counts requests, and refuses those over the limits, which are requests per minute."""

    def __init__(self, *, member: int, anonymous: int, sign_in: int) -> None:
        self._most: dict[Kind, int] = {"member": member, "anonymous": anonymous, "sign_in": sign_in}
        # Identifiers and addresses, some 200 bytes each, at most as many as requests reach a worker in a minute.
        self._asked: dict[tuple[Kind, str], int] = {}
        self._ends = 0.0

    def count(self, kind: Kind, who: str) -> None:
        """Count a request. Raises TooMany if it exceeds the limit."""
        now = time.monotonic()
        if now >= self._ends:
            self._asked, self._ends = {}, now + MINUTE
        asked = self._asked[kind, who] = self._asked.get((kind, who), 0) + 1
        if asked > self._most[kind]:
            REFUSED.labels(kind).inc()
            says = "That was asked too often. Please wait a moment."
            raise TooMany("too_many_requests", says, after=math.ceil(self._ends - now))


LONGEST_ADDRESS = 45  # characters: IPv6 with an IPv4 address in it


def origin() -> str:
    """The origin of the request: an IPv4 address, or the network of an IPv6 address."""
    return network_of(request.remote_addr or "")


def network_of(address: str) -> str:
    """The origin for an address, or `unknown` if the text is not an address."""
    # A header may hold any text. A longer one is cut: it is still not an address, and the cache does not keep it whole.
    return _network_of(address.partition("%")[0][: LONGEST_ADDRESS + 1])


@functools.lru_cache(maxsize=4096)
def _network_of(address: str) -> str:
    found = read_address(address)
    if found is None:
        return "unknown"  # a proxy may send this word, and a Unix socket has no address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(ipaddress.ip_network((found, NEIGHBOURHOOD), strict=False))


def read_address(said: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address without its scope; an IPv4 address if it is mapped into IPv6; None if the text is not an address."""
    try:
        found = ipaddress.ip_address(said.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
