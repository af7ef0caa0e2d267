"""The parts of the benchmark, by name: each fills one or more rows."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from tests.bench.rows import Row

FAMILIES = ("platform", "http", "streams", "inboxes", "bus", "broker")
Measure = Callable[..., None]  # given the ground and the rows of the declaration


class NotMeasured(Exception):
    """Something that a part needs is missing on this machine. The message says what."""


@dataclass(frozen=True)
class Part:
    name: str
    rows: tuple[Row, ...]
    measure: Measure
    slow: bool


PARTS: dict[str, Part] = {}


def part(name: str, *rows: Row, slow: bool = False) -> Callable[[Measure], Measure]:
    """Declare a part. Rows that it leaves empty are reported as not measured, with the reason that it raises.

    A `slow` part is left out of a short run unless ONLY names it.
    """

    def declare(measure: Measure) -> Measure:
        assert name not in PARTS, f"there are two parts {name}"
        PARTS[name] = Part(name, rows, measure, slow)
        return measure

    return declare


def known() -> dict[str, Part]:
    """All parts, in the order in which they are measured."""
    for family in FAMILIES:
        importlib.import_module(f"tests.bench.families.{family}")
    for others in ("peers.rows", "growth"):
        importlib.import_module(f"tests.bench.{others}")
    return PARTS
