"""Patterns of message types, as a topic exchange reads them."""

import re
from difflib import get_close_matches

import services.contracts.messages  # noqa: F401  (declares the catalogue)
from deploy.hub import Trouble, screen
from services.contracts.catalogue import CATALOGUE, EXCHANGE, exchange_of

PATTERN = re.compile(r"[a-z0-9_*#]+(\.[a-z0-9_*#]+)*")
LIKE = 0.5  # from 0 to 1: how alike two types are, at least, to be taken for one another


def public() -> list[str]:
    """The types of all messages that others may hear."""
    return sorted(key for key in CATALOGUE if exchange_of(key) == EXCHANGE)


def matching(pattern: str) -> list[str]:
    """The types of public messages that match a pattern. Raises Trouble for one that matches none."""
    keys = {key for key in CATALOGUE if PATTERN.fullmatch(pattern) and _fits(pattern.split("."), key.split("."))}
    if found := [key for key in public() if key in keys]:
        return found
    why = "is for the platform alone" if keys else "is no message"
    raise Trouble(f"{screen.plain(pattern)} {why}.", _advice(pattern))


def _advice(pattern: str) -> str:
    like = get_close_matches(pattern, public(), cutoff=LIKE)
    return f"These are like it: {', '.join(like)}." if like else f"There are {', '.join(public())}."


def _fits(pattern: list[str], key: list[str]) -> bool:
    """True if the routing key matches the pattern as in a topic exchange: * is one word, # any number of words."""
    if not pattern:
        return not key
    head, rest = pattern[0], pattern[1:]
    if head == "#":
        return any(_fits(rest, key[skipped:]) for skipped in range(len(key) + 1))
    return bool(key) and head in ("*", key[0]) and _fits(rest, key[1:])
