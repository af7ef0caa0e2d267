"""What is true of accounts and invitations. Both are plain dicts with `_id`, `changed_at`, and a `history` of deeds."""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from services.contracts.errors import Conflict, Forbidden, Invalid

Account = dict[str, Any]
Invitation = dict[str, Any]

INVITATION_LASTS = timedelta(days=14)
PROFILE = ("name", "pronouns", "what_i_do", "organisation", "country", "languages", "tags_have", "tags_want")
ANNOUNCED = ("name", "roles", "tags_have", "tags_want")


def address(email: str) -> str:
    """An address as it is compared: two that differ in case are one."""
    return email.strip().casefold()


def digest(code: str) -> str:
    """What is stored of a random code: its hash, so that a stolen store opens no door."""
    return hashlib.sha256(code.encode()).hexdigest()


def new_code() -> str:
    """A random code of 160 bits for a door that opens once."""
    return secrets.token_urlsafe(20)


def invite(
    draft: Mapping[str, Any], code: str, *, by: str, roles: frozenset[str], id: str, now: datetime
) -> Invitation:
    """An invitation by somebody who has these roles. Raises Forbidden, Invalid."""
    if "administrator" not in roles:
        raise Forbidden("administrators_only", "Only administrators invite.")
    return {
        "_id": id,
        "email": address(draft["email"]),
        "roles": _roles(draft["roles"]),
        "code_hash": digest(code),
        "expires_at": now + INVITATION_LASTS,
        "used_by": None,
        "changed_at": now,
        "history": [_deed(now, by, "invited")],
    }


def check_invitation(invitation: Invitation | None, now: datetime) -> Invitation:
    """The invitation, if it opens the door now. Raises Invalid naming the code."""
    if invitation is None or invitation["used_by"] is not None:
        raise Invalid.field("code", "This invitation is not known or has been used.")
    if invitation["expires_at"] <= now:
        raise Invalid.field("code", "This invitation has expired; ask for a new one.")
    return invitation


def join(
    registration: Mapping[str, Any], invitation: Invitation, password_hash: str, *, id: str, now: datetime
) -> Account:
    """The account of a person who accepts an invitation."""
    return _account(registration, invitation["email"], invitation["roles"], password_hash, id, now)


def use(invitation: Invitation, member_id: str, now: datetime) -> Invitation:
    """The invitation, used up."""
    history = [*invitation["history"], _deed(now, member_id, "accepted")]
    return {**invitation, "used_by": member_id, "changed_at": now, "history": history}


def found(person: Mapping[str, Any], password_hash: str, *, id: str, now: datetime) -> Account:
    """The account of the hub's first administrator."""
    return _account(person, person["email"], ["administrator"], password_hash, id, now)


def change(account: Account, fields: Mapping[str, Any], *, now: datetime) -> Account:
    """The account with a member's own changes to their profile."""
    wanted = {name: value for name, value in fields.items() if name in PROFILE}
    for tags in ("tags_have", "tags_want"):
        if tags in wanted:
            wanted[tags] = sorted(set(wanted[tags]))
    return {
        **account,
        **wanted,
        "changed_at": now,
        "history": _after(account, now, account["_id"], "profile changed"),
    }


def assign(account: Account, roles: list[str], *, by: str, having: frozenset[str], now: datetime) -> Account:
    """The account with other roles, given by somebody who has the roles `having`. Raises Forbidden, Conflict, Invalid.

    Nobody takes the administrator's role from themselves: a hub must not lose its last one by a slip.
    """
    if "administrator" not in having:
        raise Forbidden("administrators_only", "Only administrators change roles.")
    if by == account["_id"] and "administrator" not in roles:
        raise Conflict("own_role", "Another administrator has to take this role from you.")
    return {
        **account,
        "roles": _roles(roles),
        "changed_at": now,
        "history": _after(account, now, by, f"roles: {', '.join(sorted(set(roles)))}"),
    }


def told(before: Account, after: Account) -> bool:
    """Whether a change concerns what other services know of a member."""
    return any(before[name] != after[name] for name in ANNOUNCED)


def facts(account: Account, *, actor_id: str) -> dict[str, Any]:
    """What a message about an account says beyond the account's own fields."""
    return {"member_id": account["_id"], "actor_id": actor_id}


def _account(
    person: Mapping[str, Any], email: str, roles: list[str], password_hash: str, id: str, now: datetime
) -> Account:
    blank = {"pronouns": "", "what_i_do": "", "organisation": "", "country": ""}
    blank_lists: dict[str, list[str]] = {"languages": [], "tags_have": [], "tags_want": []}
    account = {
        **blank,
        **blank_lists,
        "_id": id,
        "name": person["name"],
        "email": address(email),
        "password_hash": password_hash,
        "roles": _roles(roles),
        "joined_at": now,
        "changed_at": now,
        "history": [],
    }
    return {**change(account, person, now=now), "history": [_deed(now, id, "joined")]}


def _roles(roles: list[str]) -> list[str]:
    if not roles:
        raise Invalid.field("roles", "Name at least one role.")
    return sorted(set(roles))


def _deed(now: datetime, by: str, what: str) -> dict[str, Any]:
    return {"at": now, "by": by, "what": what}


def _after(account: Account, now: datetime, by: str, what: str) -> list[dict[str, Any]]:
    return [*account["history"][-49:], _deed(now, by, what)]
