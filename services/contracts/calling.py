"""The grammar of calls: `ask(...)` declares one call, once: its arguments, its answer, its callers and its refusals.

The service answers a call with `@answers(CALL)`, and the gateway gives it an address. Both read the declaration and
repeat nothing of it. On the wire a call is nameko's (`kwargs` in JSON).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema, ValidationError, fields, missing

from services.contracts.codes import CODES
from services.contracts.errors import Invalid, invalid
from services.contracts.roles import MEMBERS

STORE_HAS = 1.5  # seconds for all that one call asks of the store
CALLS: dict[str, "Call"] = {}
LISTENERS: list[str] = []  # capabilities that answer no call but `ping`

Argument = Schema | fields.Field[Any]
Kind = type[Schema] | type[fields.Field[Any]]


class UndeclaredCall(Exception):
    """A call is declared, routed or answered in contradiction to its declaration. A programming error."""


@dataclass(frozen=True, eq=False)
class Call:
    """One thing that a capability can be asked. Made by `ask`, never by hand."""

    capability: str
    method: str
    says: str
    more: str = ""
    operation: str | None = None
    takes: Mapping[str, Argument] = field(default_factory=dict)
    gives: type[Schema] | None = None
    makes: bool = False
    may: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    refuses: tuple[str, ...] = ()
    public: bool = False
    operator: bool = False
    seconds: float = STORE_HAS

    @property
    def target(self) -> str:
        """The routing key: `events.calendar.draft`."""
        return f"{self.capability}.{self.method}"

    @property
    def signed_in(self) -> bool:
        """True if only signed-in members may make the call. Its method is then given the `caller`."""
        return not (self.public or self.operator)

    @property
    def body(self) -> tuple[str, Schema] | None:
        """Name and shape of the argument with a shape: the body of a request, or the query of a reading one."""
        return next(((name, each) for name, each in self.takes.items() if isinstance(each, Schema)), None)

    def read(self, given: Any) -> dict[str, Any]:
        """The arguments as Python values. Raises Invalid unless they are exactly those that the call takes.

        An argument with a default may be missing: it was added later, and older processes still call without it.
        """
        if not isinstance(given, dict) or not self._needs() <= given.keys() <= self.takes.keys():
            raise Invalid("malformed", f"This call takes the arguments {list(self.takes)}.")
        return {name: _read(name, each, given.get(name, missing)) for name, each in self.takes.items()}

    def _needs(self) -> set[str]:
        return {name for name, each in self.takes.items() if getattr(each, "load_default", missing) is missing}


def _read(name: str, argument: Argument, value: Any) -> Any:
    try:
        return argument.load(value) if isinstance(argument, Schema) else argument.deserialize(value, name)
    except ValidationError as error:
        raise invalid(error.messages if isinstance(argument, Schema) else {name: error.messages}) from None


def ask(
    target: str,
    *,
    says: str,
    more: str = "",
    operation: str | None = None,
    takes: Mapping[str, Kind] | None = None,
    gives: type[Schema] | None = None,
    makes: type[Schema] | None = None,
    may: Collection[str] = (),
    own: Collection[str] = (),
    refuses: tuple[str, ...] = (),
    public: bool = False,
    operator: bool = False,
    seconds: float = STORE_HAS,
) -> Call:
    """Declare a call.

    `target` is `<service>.<capability>.<method>`, `says` one sentence, `more` further advice for clients.
    `operation` is its name in the HTTP API and in the audit log; a call without one is made on the bus only.
    `takes` names the arguments. At most one has a shape; the others are fields. `gives` is the shape of the answer, and
    `makes` that of something new; with neither, the answer is empty. `may` are the roles that may make the call, `own`
    the roles that may make it for their own things. `refuses` are the codes beyond those that follow from the rest.
    A `public` call needs no token. Neither does an `operator` call, which has no operation: the broker's rights guard
    it. `seconds` is the store's time limit. Raises UndeclaredCall when it contradicts itself or another declaration.
    """
    capability, _, method = target.rpartition(".")
    made = Call(
        capability,
        method,
        says,
        more,
        operation,
        {name: each() for name, each in (takes or {}).items()},
        gives or makes,
        makes is not None,
        frozenset(may),
        frozenset(own),
        refuses,
        public,
        operator,
        seconds,
    )
    if wrong := "both gives and makes something" if gives and makes else _contradiction(made):
        raise UndeclaredCall(f"{target} {wrong}")
    CALLS[target] = made
    return made


def listen(capability: str) -> None:
    """Declare a capability that hears messages and answers no call but `ping`."""
    LISTENERS.append(capability)


def calls_of(capability: str) -> list[Call]:
    """The calls that a capability must answer."""
    return [each for each in CALLS.values() if each.capability == capability]


def _contradiction(made: Call) -> str | None:
    shaped = [name for name, each in made.takes.items() if isinstance(each, Schema)]
    operations = {each.operation for each in CALLS.values() if each.operation}
    known = {code for codes in CODES.values() for code in codes}
    guards = [bool(made.may or made.own), made.public, made.operator]
    contradictions = {
        "is declared twice": made.target in CALLS,
        "must be <service>.<capability>.<method>": made.target.count(".") != 2,
        "answers `ping`, which every capability does by itself": made.method == "ping",
        f"is named {made.operation} like another": made.operation in operations,
        "says no sentence": not made.says.endswith("."),
        "is for members, public or for operators: say exactly one": guards.count(True) != 1,
        "is for roles that nobody has": not made.may | made.own <= MEMBERS,
        "is for operators and has an operation": made.operator and made.operation is not None,
        f"takes more than one shape, {shaped}": len(shaped) > 1,
        "takes a `caller`, which is given by the token": "caller" in made.takes,
        f"refuses with {made.refuses}, of which codes.py does not know all": not known.issuperset(made.refuses),
    }
    return next((says for says, wrong in contradictions.items() if wrong), None)
