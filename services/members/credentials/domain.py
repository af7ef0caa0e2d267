"""The rules of a password. A new password ends all sessions that were opened before, except the one that changes it.

The account itself stores this (`sessions_since`, `kept_session`), so that both happen in the same write. A code to
reset a password is kept as `reset` in the account. There is one at most. It works once. If an administrator issued it,
it works only while they are one.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from services.contracts.errors import Conflict, Invalid, Unauthenticated
from services.contracts.history import remembering
from services.members.account import Account, active

RESET_LASTS = timedelta(hours=24)


def check_password(matches: bool) -> None:
    """Check that the given password is the present one. Raises Unauthenticated."""
    if not matches:
        raise Unauthenticated(
            "password_refused",
            "This is not your present password. Type it again, or ask for a code to set a new one.",
        )


def change(account: Account, password_hash: str, *, but_session: str, now: datetime) -> Account:
    """The account with another password. All sessions end except `but_session`."""
    return _set(account, password_hash, but_session, now, account["_id"], "password changed")


def issue(account: Account, code_hash: str, *, by: str | None, now: datetime) -> Account:
    """The account with a code to reset its password. `by` is None for an operator on the machine. Raises Conflict."""
    if not active(account):
        raise Conflict("not_active", "This member is suspended or was removed. Let a suspended one in again first.")
    issued: Account = {**account, "reset": {"code_hash": code_hash, "by": by, "expires_at": expiry(now)}}
    return remembering(issued, now, by, "password reset issued")


def expiry(now: datetime) -> datetime:
    """The expiry of a code that is issued now."""
    return now + RESET_LASTS


def usable(account: Account | None, *, issuers: frozenset[str], now: datetime) -> Account:
    """The account, if the code may reset its password now. Raises Invalid for the field `code`.

    `issuers` are the present roles of the issuer. They don't matter for a code that an operator made on the machine.
    """
    reset: Mapping[str, Any] | None = account.get("reset") if account is not None else None
    if not active(account) or reset is None:
        raise Invalid.field("code", "This code is not known or has been used. Compare it, or ask for a new one.")
    if reset["by"] is not None and "administrator" not in issuers:
        raise Invalid.field("code", "This code was withdrawn. Ask for a new one.")
    if reset["expires_at"] <= now:
        raise Invalid.field("code", "This code has expired. Ask for a new one.")
    return account


def reset(account: Account, password_hash: str, *, now: datetime) -> Account:
    """The account with a new password and no session."""
    return _set(account, password_hash, None, now, account["_id"], "password reset")


def end_sessions(account: Account, *, by: str, now: datetime) -> Account:
    """The account with no session."""
    return remembering(_ended(account, None, now), now, by, "sessions ended")


def admits(account: Account, session_id: str, opened_at: datetime) -> bool:
    """True if the session still counts for the account."""
    since = account.get("sessions_since")
    return since is None or opened_at > since or session_id == account.get("kept_session")


def _set(account: Account, password_hash: str, but_session: str | None, now: datetime, by: str, what: str) -> Account:
    fresh: Account = {**account, "password_hash": password_hash, "reset": None}
    return remembering(_ended(fresh, but_session, now), now, by, what)


def _ended(account: Account, but_session: str | None, now: datetime) -> Account:
    return {**account, "sessions_since": now, "kept_session": but_session, "access_changed_at": now}
