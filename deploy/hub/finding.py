"""A finding of `hub doctor`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """The result of a check. `says` is its state in words, `do` the remedy."""

    state: Literal["ok", "watch", "wrong"]
    about: str
    says: str
    do: str = ""


Findings = Iterator[Finding]
