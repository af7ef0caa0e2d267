"""What is true of a session, a family of refresh tokens, and of the attempts to open one.

Of a family only the youngest works, and once. Using an older one again means that somebody copied it, so the whole
family ends (RFC 9700, section 4.14.2); but an answer may get lost, so the one before the youngest is forgiven once.

Attempts are counted before their password is checked, and uncounted when it was right: so many at once are not too
many. Where nobody has an account it is all the same, so that nobody learns who has one.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from services.contracts.errors import TooMany, Unauthenticated

Session = dict[str, Any]

ACCESS_LASTS = timedelta(minutes=15)
REFRESH_LASTS = timedelta(days=30)
FORGIVEN = timedelta(seconds=30)
FAMILIAR = timedelta(days=30)
CLOCKS_DIFFER = timedelta(minutes=1)  # between machines, at most
REVOKED_AT_MOST = 10_000  # members, and sessions


@dataclass(frozen=True)
class Window:
    """How many attempts may fail within what time from the first; the rest of that time others are refused."""

    most: int
    lasts: timedelta


HERE = Window(5, timedelta(minutes=15))  # at an account, from one place
ANYWHERE = Window(50, timedelta(hours=1))  # at an account, from all places together
ANYBODY = Window(100, timedelta(hours=1))  # from a place, at all accounts together


def new_secret() -> str:
    """The secret part of a refresh token: 256 random bits."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored of a refresh token."""
    return hashlib.sha256(secret.encode()).hexdigest()


def trace(kind: str, *parts: str) -> str:
    """The name under which attempts at an account, or from a place, are remembered.

    A hash without a key: whoever reads this store can read the members' addresses, too; it only keeps them from view.
    """
    return hashlib.sha256("\n".join((kind, *parts)).encode()).hexdigest()


def allow(window: Window, counted: Mapping[str, Any], now: datetime) -> None:
    """Let an attempt go on, if with it `tries` are not too many. Raises TooMany."""
    if counted["tries"] > window.most:
        says = "Too many attempts to sign in have failed. Please try again later."
        raise TooMany("too_many_attempts", says, after=ceil((counted["ends_at"] - now).total_seconds()))


def open_session(member_id: str, secret: str, *, place: str, id: str, now: datetime) -> Session:
    """A new session of a member; `place` is the trace of where it was opened."""
    return {
        "_id": id,
        "member_id": member_id,
        "token_hash": digest(secret),
        "forgiven_hash": None,
        "place": place,
        "opened_at": now,
        "changed_at": now,
        "expires_at": now + REFRESH_LASTS,
        "ended": None,
    }


def refresh_token(session: Session, secret: str) -> str:
    """The token that a client keeps: which session, and the secret."""
    return f"{session['_id']}.{secret}"


def parts(token: str) -> tuple[str, str]:
    """Session id and secret of a refresh token. Raises Unauthenticated."""
    id, dot, secret = token.partition(".")
    if not dot:
        raise refused()
    return id, secret


def refused() -> Unauthenticated:
    """The one answer to every refresh token that does not work."""
    return Unauthenticated("refresh_refused", "This refresh token does not work (any more); sign in again.")


def alive(session: Session | None, now: datetime) -> Session:
    """The session, if it has neither ended nor expired. Raises Unauthenticated."""
    if session is None or session["ended"] is not None or session["expires_at"] <= now:
        raise refused()
    return session


def youngest(session: Session, secret: str) -> bool:
    """Whether this secret is that of the youngest token."""
    return secrets.compare_digest(session["token_hash"], digest(secret))


def reused(session: Session, secret: str, now: datetime) -> bool:
    """Whether this secret is neither the youngest nor forgiven: somebody has copied it, or guesses."""
    recent = now - session["changed_at"] < FORGIVEN
    forgiven = recent and secrets.compare_digest(session.get("forgiven_hash") or "", digest(secret))
    return not (forgiven or youngest(session, secret))


def rotate(session: Session, used: str, secret: str, now: datetime) -> Session:
    """The session with a new youngest token, for the one that was used; what was forgiven is not forgiven again."""
    return {
        **session,
        "token_hash": digest(secret),
        "forgiven_hash": digest(used) if youngest(session, used) else None,
        "changed_at": now,
        "expires_at": now + REFRESH_LASTS,
    }


def access(account: Mapping[str, Any], roles: frozenset[str]) -> dict[str, Any]:
    """What access tokens of a member may say at most, for whoever checks them."""
    since = account.get("sessions_since")
    kept = account.get("kept_session")
    return {"id": account["_id"], "roles": sorted(roles), "since": since and since.isoformat(), "kept_session": kept}


def claims(session: Session, roles: list[str], alias: str, now: datetime) -> dict[str, Any]:
    """What the access token of a session says besides issuer and audience (RFC 7519)."""
    return {
        "sub": session["member_id"],
        "sid": session["_id"],
        "roles": sorted(roles),
        "alias": alias,
        "iat": int(now.timestamp()),
        "nbf": int(now.timestamp()),
        "exp": int((now + ACCESS_LASTS).timestamp()),
    }
