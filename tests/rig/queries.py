"""The queries of a store as shapes without values, and the indexes that serve them: equality, then order or range."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

EQUAL, RANGE, OTHER = "=", "<>", "?"
RANGES = {"$gt", "$gte", "$lt", "$lte"}
BY_ITSELF = {"insert", "createIndexes", "listIndexes", "getMore", "killCursors", "ping", "profile"}  # read no more
Document = Mapping[str, Any]
Conditions = frozenset[tuple[str, str]]
Index = tuple[tuple[str, int], ...]
ID: Index = (("_id", 1),)


@dataclass(frozen=True)
class Shape:
    """A query without its values. It wants rows for which all conditions of one way hold; if `limited`, only some."""

    verb: str
    place: str
    ways: frozenset[Conditions]
    order: Index = ()
    limited: bool = False

    def __str__(self) -> str:
        ways = sorted(", ".join(f"{name} {kind}" for name, kind in sorted(way)) for way in self.ways)
        order = ", ".join(f"{'-' if way < 0 else ''}{name}" for name, way in self.order)
        return f"{self.verb} {self.place}: {' | '.join(ways) or 'any'}" + (f"; by {order}" if order else "")

    def without(self, *names: str) -> "Shape":
        """The query without what it asks of these fields."""
        ways = frozenset(frozenset(each for each in way if each[0] not in names) for way in self.ways)
        return replace(self, ways=ways)

    @property
    def bounded(self) -> bool:
        """True if a limit or an `_id` bounds the number of rows that are read."""
        return self.limited or all(("_id", EQUAL) in way for way in self.ways)

    def served_by(self, indexes: Iterable[Index]) -> set[Index]:
        """The indexes that lead to the wanted rows and no others, in order. Empty if one of the ways has no index."""
        known = [ID, *indexes]
        found = [{index for index in known if _leads(index, way, self.order)} for way in self.ways]
        return set().union(*found) if all(found) else set()


def _leads(index: Index, conditions: Conditions, order: Index) -> bool:
    """True if the rows that fulfil the conditions are one stretch of an index, in this order or its reverse.

    An `_id` belongs to one row, whatever the other conditions are.
    """
    if ("_id", EQUAL) in conditions:
        return index == ID
    equal, ranged = ({name for name, kind in conditions if kind == wanted} for wanted in (EQUAL, RANGE))
    rest = list(index)
    while rest and rest[0][0] in equal:
        equal.remove(rest.pop(0)[0])
    wanted = [(name, way) for name, way in order if (name, EQUAL) not in conditions]
    in_order = wanted in (rest[: len(wanted)], [(name, -way) for name, way in rest[: len(wanted)]])
    others = equal | (ranged - {name for name, _ in rest[:1]}) | {name for name, kind in conditions if kind == OTHER}
    return bool(conditions or order) and in_order and not others


def asked(place: str, command: Document) -> Iterator[tuple[Shape, dict[str, Any]]]:
    """The shapes of a command, each with its filter, order and limit as a `find` has them.

    `command` is as a server's profiler keeps it: an update or delete whole, or each of its statements by itself.
    """
    verb = next(
        (name for name in ("find", "aggregate", "count", "findAndModify", "update", "delete") if name in command), ""
    )
    if verb == "find":
        yield _shape(verb, place, command.get("filter", {}), command.get("sort", {}), command.get("limit", 0))
    elif verb == "aggregate":
        (match, *_) = command["pipeline"]
        yield _shape("count", place, match["$match"])
    elif verb == "count":
        yield _shape(verb, place, command.get("query", {}), limit=0)
    elif verb == "findAndModify":
        yield _shape("change", place, command.get("query", {}), command.get("sort", {}), 1)
    elif statements := command.get("updates") or command.get("deletes") or ([command] if "q" in command else []):
        for each in statements:
            one = each.get("limit", 0) if "u" not in each else not each.get("multi", False)
            yield _shape("change" if "u" in each else "delete", place, each["q"], limit=int(one))
    else:
        assert BY_ITSELF & set(command), f"what is asked by {command}?"


def _shape(
    verb: str, place: str, query: Document, order: Document | None = None, limit: int = 0
) -> tuple[Shape, dict[str, Any]]:
    found = {"filter": dict(query), "sort": dict(order or {}), "limit": limit}
    return Shape(verb, place, frozenset(_ways(query)), tuple(found["sort"].items()), bool(limit)), found


def _ways(query: Document) -> list[Conditions]:
    """The ways to fulfil a filter: one, or as many as its `$or` has."""
    ways: list[Conditions] = [frozenset()]
    for name, value in query.items():
        if name in ("$and", "$or"):
            parts = [_ways(each) for each in value]
            if name == "$or":
                parts = [[way for part in parts for way in part]]
        else:
            parts = [[frozenset({(name, _kind(value))})]]
        for part in parts:
            ways = [way | more for way in ways for more in part]
    return ways


def _kind(value: Any) -> str:
    if not isinstance(value, Mapping) or not any(str(name).startswith("$") for name in value):
        return EQUAL
    return EQUAL if "$eq" in value or set(value) == {"$in"} else RANGE if set(value) <= RANGES else OTHER
