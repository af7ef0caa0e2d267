"""The rules of an account: `active → suspended → active`, and from both to `removed` for good.

An account is a plain dict with `_id`, `changed_at`, and a `history` of deeds. An account without a `status` is active.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from services.contracts import zones
from services.contracts.errors import Conflict, Forbidden, Hidden, NotFound
from services.contracts.history import deed, remembering
from services.contracts.roles import ADMINISTRATOR
from services.members.account import Account, active, given, status

LEAVING_LASTS = timedelta(seconds=30)
CHOICES = ("language", "zone")  # for messages to the member; "" means not chosen
PROFILE = ("name", "pronouns", "what_i_do", "organisation", "country", "languages", "tags_have", "tags_want", *CHOICES)
ANNOUNCED = ("name", "roles", "tags_have", "tags_want", "status")
REACH = ("email", "status", *CHOICES)
PROFILE_CHANGED = "profile changed"
BLANK: dict[str, Any] = {
    **dict.fromkeys(("pronouns", "what_i_do", "organisation", "country", *CHOICES), ""),
    **{name: [] for name in ("languages", "tags_have", "tags_want")},
}


def address(email: str) -> str:
    """The address in the form used for comparison. Case does not matter."""
    return email.strip().casefold()


def roles(account: Account | None) -> frozenset[str]:
    """The roles that count now. A suspended or removed member has no roles."""
    return frozenset(account["roles"]) if active(account) else frozenset()


def check_administrator(having: frozenset[str], says: str) -> None:
    """Check that these roles include the administrator's. Raises Forbidden with the sentence `says`."""
    if ADMINISTRATOR not in having:
        raise Forbidden("administrators_only", says)


def visible(account: Account, having: frozenset[str]) -> Account:
    """The account, if a caller with these roles may read its card. Raises NotFound, Hidden."""
    if status(_present(account)) == "suspended" and ADMINISTRATOR not in having:
        raise Hidden.of(account["_id"])
    return account


def join(
    registration: Mapping[str, Any], email: str, roles: list[str], password_hash: str, *, id: str, now: datetime
) -> Account:
    """The account of a person who was invited with these roles."""
    return _account(registration, email, roles, password_hash, id, now)


def found(person: Mapping[str, Any], password_hash: str, *, id: str, now: datetime) -> Account:
    """The account of the hub's first administrator."""
    return _account(person, person["email"], ["administrator"], password_hash, id, now)


def change(account: Account, fields: Mapping[str, Any], *, now: datetime) -> Account:
    """The account with a member's own changes to their profile. Raises Invalid for an unknown zone."""
    wanted = {name: value for name, value in fields.items() if name in PROFILE}
    if wanted.get("zone"):
        zones.check(wanted["zone"])
    for tags in ("tags_have", "tags_want"):
        if tags in wanted:
            wanted[tags] = sorted(set(wanted[tags]))
    changed = cast(Account, {**account, **wanted})
    return remembering(changed, now, account["_id"], PROFILE_CHANGED, merged=True)


def assign(account: Account, roles: list[str], *, by: str, now: datetime) -> Account:
    """The account with other roles, given by an administrator. Raises NotFound, Conflict, Invalid.

    Administrators can't take that role from themselves: the hub must not lose its last one by a slip.
    """
    _present(account)
    if by == account["_id"] and ADMINISTRATOR not in roles:
        raise Conflict("own_role", "You can't take this role from yourself. Ask another administrator.")
    changed: Account = {**account, "roles": given(roles)}
    return _accessing(account, remembering(changed, now, by, f"roles: {', '.join(changed['roles'])}"))


def suspend(account: Account, reason: str, *, by: str, now: datetime) -> Account:
    """The suspended account: no sign-in and no notifications until it is reinstated. Raises NotFound, Conflict."""
    _not_oneself(_present(account), by)
    if status(account) == "suspended":
        raise Conflict(
            "already_suspended", "This account is suspended already. End the suspension first to give another reason."
        )
    suspended: Account = {**account, "status": "suspended"}
    return _accessing(account, remembering(suspended, now, by, f"suspended: {reason}"))


def reinstate(account: Account, *, by: str, now: datetime) -> Account:
    """The account, active again with the roles that it had. Raises NotFound, Conflict."""
    if status(_present(account)) != "suspended":
        raise Conflict("not_suspended", "This member is not suspended. Nothing is left to do.")
    active: Account = {**account, "status": "active"}
    return remembering(active, now, by, "reinstated")


def remove(account: Account, *, by: str, now: datetime) -> Account:
    """The account of a removed member. The name stays beside their contributions; they can't sign in.

    Their address is free again, so that they can be invited again. Raises NotFound, Conflict.
    """
    _not_oneself(_present(account), by)
    gone = {"status": "removed", "email": account["_id"], "password_hash": None, "reset": None}
    bare = cast(Account, {**account, **BLANK, **gone})
    return _accessing(account, remembering(bare, now, by, "removed"))


def _present(account: Account) -> Account:
    if status(account) == "removed":
        raise NotFound.of(account["_id"])
    return account


def _not_oneself(account: Account, by: str) -> None:
    if by == account["_id"]:
        raise Conflict("own_account", "You can't do this to your own account. Ask another administrator.")


def _accessing(before: Account, after: Account) -> Account:
    """The account; if it lost a role, with the moment of the loss. Access tokens with the lost role are then void."""
    return {**after, "access_changed_at": after["changed_at"]} if roles(before) - roles(after) else after


def stops_administering(before: Account, after: Account) -> bool:
    """True if the change leaves the hub with one administrator less."""
    return ADMINISTRATOR in roles(before) - roles(after)


def leaving(account: Account, now: datetime) -> Account:
    """The account, marked as leaving administration. From now on it is not counted as a remaining administrator.

    Two administrators may take the role from each other at once. Each account is marked before the remaining
    administrators are counted, so at least one of the two changes finds none. An old mark is from a dead process.
    """
    return {**account, "leaving_at": now}


def staying(account: Account) -> Account:
    """The account without the mark of leaving."""
    return {**account, "leaving_at": None}


def relied_on(account: Account) -> bool:
    """True if the account is an administrator's and not marked as leaving."""
    return ADMINISTRATOR in roles(account) and account.get("leaving_at") is None


def forgotten(account: Account, now: datetime) -> bool:
    """True if the mark of leaving is so old that the process that made it must have died."""
    since = account.get("leaving_at")
    return since is not None and since <= now - LEAVING_LASTS


def nobody_left() -> Conflict:
    """The refusal of a change that would leave the hub without an administrator."""
    says = "This is the last administrator, or another one is just leaving: give the role to somebody else first."
    return Conflict("last_administrator", says)


def told(before: Account, after: Account) -> bool:
    """True if the change concerns facts that other services know about a member."""
    return any(before.get(name) != after.get(name) for name in ANNOUNCED)


def reached_otherwise(before: Account, after: Account) -> bool:
    """True if the change concerns how to reach the member."""
    return any(before.get(name, "") != after.get(name, "") for name in REACH)


def whole(account: Account) -> Account:
    """The account with all fields of a profile; earlier versions kept fewer."""
    return cast(Account, BLANK | {**account})


def reach(account: Account) -> dict[str, Any]:
    """The facts for writing to a member. A suspended or removed member has no address (None)."""
    email = account["email"] if active(account) else None
    chosen = {name: account.get(name, "") for name in CHOICES}
    return {"member_id": account["_id"], "email": email, "status": status(account), **chosen}


def facts(account: Account, *, actor_id: str) -> dict[str, Any]:
    """The facts that a message about an account has besides the account's own fields."""
    return {"member_id": account["_id"], "status": status(account), "actor_id": actor_id}


def _account(
    person: Mapping[str, Any], email: str, roles: list[str], password_hash: str, id: str, now: datetime
) -> Account:
    blank: dict[str, Any] = {
        **BLANK,
        "_id": id,
        "name": person["name"],
        "email": address(email),
        "password_hash": password_hash,
        "roles": given(roles),
        "status": "active",
        "joined_at": now,
        "changed_at": now,
        "history": [],
    }
    return {**change(cast(Account, blank), person, now=now), "history": [deed(now, id, "joined")]}
