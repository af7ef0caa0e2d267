"""What `hub doctor` says of one thing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """Something that was looked at: `says` how it is, `do` what would help."""

    state: Literal["ok", "watch", "wrong"]
    about: str
    says: str
    do: str = ""


Findings = Iterator[Finding]
