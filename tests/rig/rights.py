"""The matrix of rights: each operation, asked by each role for own and for foreign things, beside its declaration.

The OpenAPI document says who may (`x-may`); `tests/rig/recipes.py` knows how to ask.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests
from rich import box
from rich.table import Table

from services.contracts.roles import ROLES
from tests.rig.forged import forgeries
from tests.rig.processes import Member, Platform
from tests.rig.recipes import Ask, Recipes, draft

NOBODY = "nobody"
COLUMNS = (NOBODY, *ROLES)
REFUSED = {403, 404}
DRAFTS = 20  # more than operations take in three rounds


@dataclass(frozen=True)
class Cell:
    """One operation, asked by one role; `statuses` are those of all ways in which it was asked."""

    operation: str
    role: str
    whose: str
    may: bool
    statuses: tuple[int, ...]
    changed: bool = False

    @property
    def as_declared(self) -> bool:
        if self.may:
            return all(200 <= status < 300 for status in self.statuses)
        right = {401} if self.role == NOBODY else REFUSED
        return right.issuperset(self.statuses) and not self.changed

    def __str__(self) -> str:
        verb = "may" if self.may else "may not"
        change = ", and changed something" if self.changed else ""
        return f"{self.role} {verb} {self.operation} ({self.whose}): answered {self.statuses}{change}"


@dataclass(frozen=True)
class Party:
    """A role: the member who has it alone, and the same member at a time when they might own anything."""

    role: str
    tokens: tuple[str | None, ...]
    owner: Member | None = None


class Matrix:
    """Members of every role on a running platform, and the operations of its document."""

    def __init__(self, platform: Platform) -> None:
        self.document: dict[str, Any] = requests.get(f"{platform.url}/openapi.json", timeout=10).json()
        self.operations = dict(self._operations())
        self._url = platform.url
        self._session = requests.Session()
        self._root = platform.administrator
        self._other = platform.join("Other", ("host",))
        self._drafts: dict[str, list[str]] = {}
        self._parties = [self._party(platform, role) for role in ROLES]
        forged = forgeries(platform.processes.environment, self._root.id)["signed with another key"]
        self._parties.insert(0, Party(NOBODY, (None, forged)))
        owners = [self._other, *(party.owner for party in self._parties if party.owner)]
        self.recipes = Recipes(platform, owners, self._drafts)

    def _operations(self) -> Iterator[tuple[str, tuple[str, str, dict[str, Any]]]]:
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                if method != "parameters":
                    yield operation["operationId"], (method, path, operation)

    def _party(self, platform: Platform, role: str) -> Party:
        """Everybody was a host once: they still have their drafts, and a host's rights no more."""
        host = platform.join(f"A {role}", ("host",))
        self._drafts[host.id] = [draft(host) for _ in range(DRAFTS)]
        platform.administrator.ask("PUT", f"/v1/members/{host.id}/roles", json={"roles": [role]})
        owner = platform.sign_in(host.profile["email"])
        return Party(role, (owner.tokens["access_token"],), owner)

    def cells(self) -> list[Cell]:
        """Ask for everything; return all cells. Administrators ask last, as they change what others must not."""
        order = sorted(self._parties, key=lambda party: party.role == "administrator")
        return [cell for party in order for name in self.operations for cell in self.row(name, party)]

    def row(self, name: str, party: Party) -> Iterator[Cell]:
        """One operation by one role, for own and for foreign things. A thing without an owner is asked for once."""
        method, path, operation = self.operations[name]
        owners = {"own": party.owner, "foreign": self._other} if "{" in path else {"any": party.owner or self._other}
        for whose, owner in owners.items():
            if owner is None:
                continue  # this role has no owner
            found = [self._by(party, token, method, path, getattr(self.recipes, name)(owner)) for token in party.tokens]
            statuses, changes = zip(*found, strict=True)
            may = _may(operation, party.role, own=whose != "foreign")
            yield Cell(name, party.role, whose, may, statuses, changed=any(changes))

    def party(self, role: str) -> Party:
        (found,) = (party for party in self._parties if party.role == role)
        return found

    def _by(self, party: Party, token: str | None, method: str, path: str, ask: Ask) -> tuple[int, bool]:
        return self._tried(method, path, ask, (party.owner and ask.token) or token)

    def _tried(self, method: str, path: str, ask: Ask, token: str | None) -> tuple[int, bool]:
        before = ask.look()
        return self._ask(method, path, ask, token), ask.look() != before

    def _ask(self, method: str, path: str, ask: Ask, token: str | None) -> int:
        headers = ask.headers | ({"Authorization": f"Bearer {token}"} if token else {})
        url = self._url + path.format(**ask.ids)
        with self._session.request(method, url, json=ask.body, headers=headers, timeout=10, stream=True) as answer:
            if not answer.headers.get("Content-Type", "").startswith("text/event-stream"):
                assert answer.content is not None  # read, so that the connection serves again
            return answer.status_code

    def retire(self) -> None:
        """Leave no administrators behind."""
        for member in (self._other, *(party.owner for party in self._parties if party.owner)):
            self._root.ask("PUT", f"/v1/members/{member.id}/roles", json={"roles": ["coworker"]})


def _may(operation: dict[str, Any], role: str, *, own: bool) -> bool:
    if operation.get("security") == []:
        return True
    may = operation["x-may"]
    return role in may["any"] or (own and role in may["own"])


def table(cells: list[Cell]) -> Table:
    """The matrix as a table: statuses for own and foreign things. Cells that differ from the declaration stand out."""
    shown = Table("", *COLUMNS, box=box.SIMPLE_HEAD, caption="own / foreign; no slash: it has no owner")
    for name in dict.fromkeys(cell.operation for cell in cells):
        row = [name]
        for role in COLUMNS:
            found = [cell for cell in cells if (cell.operation, cell.role) == (name, role)]
            row.append(" / ".join(map(_shown, found)))
        shown.add_row(*row)
    return shown


def _shown(cell: Cell) -> str:
    style = ("green" if cell.may else "dim") if cell.as_declared else "bold red"
    return f"[{style}]{'|'.join(map(str, dict.fromkeys(cell.statuses)))}[/]"
