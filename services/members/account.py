"""The account and its devices: what several capabilities of members read and change, and its standing."""

from datetime import datetime
from typing import Any, NotRequired, TypedDict, TypeGuard

from services.contracts.errors import Invalid


class Account(TypedDict):
    """An account, as it is kept. Accounts of earlier versions lack what need not be there."""

    _id: str
    name: str
    email: str
    password_hash: str | None
    roles: list[str]
    status: NotRequired[str]
    pronouns: str
    what_i_do: str
    organisation: str
    country: str
    languages: list[str]
    tags_have: list[str]
    tags_want: list[str]
    language: NotRequired[str]
    zone: NotRequired[str]
    joined_at: datetime
    leaving_at: NotRequired[datetime | None]
    access_changed_at: NotRequired[datetime]
    sessions_since: NotRequired[datetime]  # older sessions no longer count
    kept_session: NotRequired[str | None]
    reset: NotRequired[dict[str, Any] | None]
    changed_at: datetime
    history: list[dict[str, Any]]
    version: NotRequired[int]
    sequence: NotRequired[int]


class Device(TypedDict):
    """A known device, as it is kept; its id is the hash of its token."""

    _id: str
    member_id: str
    proven: bool
    seen_on: datetime


def status(account: Account) -> str:
    """`active`, `suspended` or `removed`. An account without a status is active."""
    return account.get("status", "active")


def active(account: Account | None) -> TypeGuard[Account]:
    """True if there is an account, and it is neither suspended nor removed."""
    return account is not None and status(account) == "active"


def given(roles: list[str]) -> list[str]:
    """The roles as an account or an invitation keeps them. Raises Invalid if there are none."""
    if not roles:
        raise Invalid.field("roles", "Name at least one role.")
    return sorted(set(roles))
