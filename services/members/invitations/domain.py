"""The rules of an invitation: `open → used`, or `open → withdrawn`. An open invitation may expire.

An invitation is a plain dict with `_id`, `changed_at`, and a `history` of deeds. There is at most one open invitation
for an address: `open_for` is the address while it is open, and its own id afterwards, so that it can be unique.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NotRequired, TypedDict

from services.contracts.errors import Conflict, Invalid
from services.contracts.history import deed, remembering
from services.members.account import given

LASTS = timedelta(days=14)


class Invitation(TypedDict):
    """An invitation, as it is kept. `open_for` is the address while it is open, then its own id."""

    _id: str
    email: str
    open_for: str
    roles: list[str]
    code_hash: str
    by: NotRequired[str]  # invitations of earlier versions lack it until the start
    expires_at: datetime
    used_by: str | None
    withdrawn_at: NotRequired[datetime | None]
    changed_at: datetime
    history: list[dict[str, Any]]
    version: NotRequired[int]
    sequence: NotRequired[int]


def invite(draft: Mapping[str, Any], email: str, code_hash: str, *, by: str, id: str, now: datetime) -> Invitation:
    """A new invitation for an address."""
    return {
        "_id": id,
        "email": email,
        "open_for": email,
        "roles": given(draft["roles"]),
        "code_hash": code_hash,
        "by": by,
        "expires_at": now + LASTS,
        "used_by": None,
        "withdrawn_at": None,
        "changed_at": now,
        "history": [deed(now, by, "invited")],
    }


def renew(
    invitation: Invitation, code_hash: str, *, by: str, now: datetime, roles: list[str] | None = None
) -> Invitation:
    """The invitation with a later expiry, and other roles if given. From now on `by` is its sender. Raises Conflict."""
    _open(invitation)
    renewed = remembering(invitation, now, by, "invited again")
    wanted = given(roles or invitation["roles"])
    return {**renewed, "roles": wanted, "code_hash": code_hash, "by": by, "expires_at": now + LASTS}


def withdraw(invitation: Invitation, *, by: str, now: datetime) -> Invitation:
    """The withdrawn invitation; it can't be used any more. Raises Conflict."""
    _open(invitation)
    closed = remembering(invitation, now, by, "withdrawn")
    return {**closed, "withdrawn_at": now, "open_for": invitation["_id"]}


def usable(invitation: Invitation | None, *, joined: bool, inviters: frozenset[str], now: datetime) -> Invitation:
    """The invitation, if it can be used now. Raises Invalid for the field `code`, with the reason.

    `joined` is True if the account that used it exists; a crash may have prevented that. `inviters` are the present
    roles of the sender. The invitation of a former administrator does not count.
    """
    if invitation is None:
        raise Invalid.field("code", "No invitation has this code. Compare it with the one that you were given.")
    if invitation.get("withdrawn_at") is not None or "administrator" not in inviters:
        raise Invalid.field("code", "This invitation was withdrawn. Ask for a new one.")
    if invitation["used_by"] is not None and joined:
        raise Invalid.field("code", "This invitation has been used. Sign in, or ask for a new one.")
    if invitation["expires_at"] <= now:
        raise Invalid.field("code", "This invitation has expired. Ask for a new one.")
    return invitation


def use(invitation: Invitation, member_id: str, now: datetime) -> Invitation:
    """The invitation, used up."""
    used = remembering(invitation, now, member_id, "accepted")
    return {**used, "used_by": member_id, "open_for": invitation["_id"]}


def state(invitation: Invitation, now: datetime) -> str:
    """`open`, `used`, `withdrawn` or `expired`."""
    if invitation.get("withdrawn_at") is not None:
        return "withdrawn"
    if invitation["used_by"] is not None:
        return "used"
    return "open" if invitation["expires_at"] > now else "expired"


def _open(invitation: Invitation) -> None:
    if invitation["used_by"] is not None or invitation.get("withdrawn_at") is not None:
        raise Conflict("not_open", "This invitation was used or withdrawn already. Invite the address again.")
