"""The invented people of the hub, from `people.csv`."""

import csv
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Person:
    """A person. `profile` has the fields of the API's registration besides the name."""

    name: str
    roles: list[str]
    profile: dict[str, Any]

    @property
    def email(self) -> str:
        """Their address, under a domain that can't exist (RFC 2606)."""
        plain = unicodedata.normalize("NFKD", self.name).encode("ascii", "ignore").decode()
        return f"{plain.lower().replace(' ', '.')}@hub.example"


def read() -> list[Person]:
    """All people. The first is the hub's first administrator."""
    with Path(__file__).with_name("people.csv").open(encoding="utf-8", newline="") as file:
        return [_person(row) for row in csv.DictReader(file, delimiter=";")]


def _person(row: dict[str, str]) -> Person:
    plain = {name: row[name] for name in ("pronouns", "what_i_do", "organisation", "country")}
    lists = {name: _words(row[name]) for name in ("languages", "tags_have", "tags_want")}
    return Person(row["name"], _words(row["roles"]), plain | lists)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
