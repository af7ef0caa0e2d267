"""Limits how often somebody may ask. Each worker counts requests by the minute, for a member or else an address.

A minute begins for everybody at once, so that counting is one look into a dict, and forgetting is one assignment: of
whoever asked, no more than a minute is ever held.
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
NEIGHBOURHOOD = 64  # bits of an IPv6 address: what one customer is given at least, and can choose from at will

REFUSED = Counter("hearth_gateway_limited_total", "Requests refused because of a limit.", ["kind"])

Kind = Literal["member", "anonymous", "sign_in"]


class Rates:
    """Counts what is asked, and refuses what is too much. The limits are requests a minute."""

    def __init__(self, *, member: int, anonymous: int, sign_in: int) -> None:
        self._most: dict[Kind, int] = {"member": member, "anonymous": anonymous, "sign_in": sign_in}
        # Identifiers and addresses, some 200 bytes each, and no more than a worker can answer in a minute.
        self._asked: dict[tuple[Kind, str], int] = {}
        self._ends = 0.0

    def count(self, kind: Kind, who: str) -> None:
        """Count a request. Raises TooMany when it is one too many."""
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
    """The same of any address; `unknown` for what is none."""
    # A header may say anything, so what is longer than an address is cut: it is none then, and is not kept whole.
    return _network_of(address.partition("%")[0][: LONGEST_ADDRESS + 1])


@functools.lru_cache(maxsize=4096)
def _network_of(address: str) -> str:
    found = read_address(address)
    if found is None:
        return "unknown"  # a proxy may say so, and a Unix socket says nothing
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(ipaddress.ip_network((found, NEIGHBOURHOOD), strict=False))


def read_address(said: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address without its scope, an IPv4 address where it stands for one; None for what is no address."""
    try:
        found = ipaddress.ip_address(said.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
