"""What is true of an account: `active → suspended → active`, and from both to `removed` for good.

An account is a plain dict with `_id`, `changed_at`, and a `history` of deeds. An account without a `status` is active.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from services.contracts import zones
from services.contracts.errors import Conflict, Forbidden, Hidden, Invalid, NotFound
from services.contracts.roles import ADMINISTRATOR

Account = dict[str, Any]

LEAVING_LASTS = timedelta(seconds=30)
CHOICES = ("language", "zone")  # how a member is written to; "" where they choose nothing
PROFILE = ("name", "pronouns", "what_i_do", "organisation", "country", "languages", "tags_have", "tags_want", *CHOICES)
ANNOUNCED = ("name", "roles", "tags_have", "tags_want", "status")
REACH = ("email", "status", *CHOICES)
PROFILE_CHANGED = "profile changed"
HISTORY_AT_MOST = 50  # deeds
BLANK: dict[str, Any] = {
    **dict.fromkeys(("pronouns", "what_i_do", "organisation", "country", *CHOICES), ""),
    **{name: [] for name in ("languages", "tags_have", "tags_want")},
}


def address(email: str) -> str:
    """An address as it is compared: two that differ in case are one."""
    return email.strip().casefold()


def status(account: Account) -> str:
    """`active`, `suspended` or `removed`."""
    return str(account.get("status", "active"))


def roles(account: Account | None) -> frozenset[str]:
    """The roles that count now: whoever is suspended or removed has none."""
    return frozenset(account["roles"]) if account is not None and status(account) == "active" else frozenset()


def check_administrator(having: frozenset[str], says: str) -> None:
    """Whether somebody with these roles may do what only administrators may. Raises Forbidden with this sentence."""
    if ADMINISTRATOR not in having:
        raise Forbidden("administrators_only", says)


def visible(account: Account, having: frozenset[str]) -> Account:
    """The account, if somebody with these roles may read its card. Raises NotFound."""
    says = f"There is nothing with the id {account['_id']}."
    if status(account) == "removed":
        raise NotFound("not_found", says)
    if status(account) == "suspended" and ADMINISTRATOR not in having:
        raise Hidden("not_found", says)
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
    """The account with a member's own changes to their profile. Raises Invalid for a zone that there is not."""
    wanted = {name: value for name, value in fields.items() if name in PROFILE}
    if wanted.get("zone"):
        zones.check(wanted["zone"])
    for tags in ("tags_have", "tags_want"):
        if tags in wanted:
            wanted[tags] = sorted(set(wanted[tags]))
    return _after({**account, **wanted}, now, account["_id"], PROFILE_CHANGED)


def assign(account: Account, roles: list[str], *, by: str, now: datetime) -> Account:
    """The account with other roles, given by an administrator. Raises Conflict, Invalid.

    Nobody takes the administrator's role from themselves: a hub must not lose its last one by a slip.
    """
    _present(account)
    if by == account["_id"] and ADMINISTRATOR not in roles:
        raise Conflict("own_role", "Another administrator has to take this role from you.")
    changed = {**account, "roles": _roles(roles)}
    return _accessing(account, _after(changed, now, by, f"roles: {', '.join(changed['roles'])}"))


def suspend(account: Account, reason: str, *, by: str, now: datetime) -> Account:
    """The account, shut: no sign-in, no notifications, until it is reinstated. Raises Conflict."""
    _not_oneself(_present(account), by)
    if status(account) == "suspended":
        raise Conflict("already_suspended", "This account is suspended already.")
    return _accessing(account, _after({**account, "status": "suspended"}, now, by, f"suspended: {reason}"))


def reinstate(account: Account, *, by: str, now: datetime) -> Account:
    """The account, open again with the roles that it had. Raises Conflict."""
    if status(_present(account)) != "suspended":
        raise Conflict("not_suspended", "This account is not suspended.")
    return _after({**account, "status": "active"}, now, by, "reinstated")


def remove(account: Account, *, by: str, now: datetime) -> Account:
    """What stays of an account whose owner belongs to the hub no more: a name beside what they said, and no way in.

    Their address is free again, so that they can be invited anew. Raises Conflict.
    """
    _not_oneself(_present(account), by)
    gone = {"status": "removed", "email": account["_id"], "password_hash": None, "reset": None}
    return _accessing(account, _after({**account, **BLANK, **gone}, now, by, "removed"))


def _present(account: Account) -> Account:
    if status(account) == "removed":
        raise NotFound.of(account["_id"])
    return account


def _not_oneself(account: Account, by: str) -> None:
    if by == account["_id"]:
        raise Conflict("own_account", "Another administrator has to do this to your account.")


def _accessing(before: Account, after: Account) -> Account:
    """The account, with the moment of its change if it lost a right: access tokens that say more count no more."""
    return {**after, "access_changed_at": after["changed_at"]} if roles(before) - roles(after) else after


def stops_administering(before: Account, after: Account) -> bool:
    """Whether a change takes an administrator from the hub."""
    return ADMINISTRATOR in roles(before) - roles(after)


def leaving(account: Account, now: datetime) -> Account:
    """An administrator who is about to stop being one: from now on nobody relies on them to be the last.

    Two administrators may take the role from each other at once. Each is marked so before anybody looks who is left,
    so at least one of the two finds nobody. A mark that is old belongs to a process that died.
    """
    return {**account, "leaving_at": now}


def staying(account: Account) -> Account:
    """The administrator, relied on again."""
    return {**account, "leaving_at": None}


def relied_on(account: Account) -> bool:
    """Whether this is an administrator who is not about to leave."""
    return ADMINISTRATOR in roles(account) and account.get("leaving_at") is None


def forgotten(account: Account, now: datetime) -> bool:
    """Whether the mark of leaving is so old that whoever made it has died."""
    return account.get("leaving_at") is not None and bool(account["leaving_at"] <= now - LEAVING_LASTS)


def nobody_left() -> Conflict:
    """The hub would have no administrator."""
    says = "This is the last administrator, or another one is just leaving: give the role to somebody else first."
    return Conflict("last_administrator", says)


def told(before: Account, after: Account) -> bool:
    """Whether a change concerns what other services know of a member."""
    return any(before.get(name) != after.get(name) for name in ANNOUNCED)


def reached_otherwise(before: Account, after: Account) -> bool:
    """True where a change concerns how a member is written to."""
    return any(before.get(name, "") != after.get(name, "") for name in REACH)


def whole(account: Account) -> Account:
    """The account with all fields of a profile; earlier versions kept fewer."""
    return BLANK | account


def reach(account: Account) -> dict[str, Any]:
    """How a member is written to. Members who take no part have no address."""
    email = account["email"] if status(account) == "active" else None
    chosen = {name: account.get(name, "") for name in CHOICES}
    return {"member_id": account["_id"], "email": email, "status": status(account), **chosen}


def facts(account: Account, *, actor_id: str) -> dict[str, Any]:
    """What a message about an account says beyond the account's own fields."""
    return {"member_id": account["_id"], "status": status(account), "actor_id": actor_id}


def _account(
    person: Mapping[str, Any], email: str, roles: list[str], password_hash: str, id: str, now: datetime
) -> Account:
    account = {
        **BLANK,
        "_id": id,
        "name": person["name"],
        "email": address(email),
        "password_hash": password_hash,
        "roles": _roles(roles),
        "status": "active",
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


def _after(account: Account, now: datetime, by: str, what: str) -> Account:
    """The account with one deed more. Changes of the profile in a row are one: they must not push out the others."""
    history = account["history"][-HISTORY_AT_MOST + 1 :]
    if what == PROFILE_CHANGED and history and history[-1]["what"] == what:
        history = history[:-1]
    return {**account, "changed_at": now, "history": [*history, _deed(now, by, what)]}
