"""What is true of a session: a family of refresh tokens, of which only the youngest works, and once.

Using an older one again means that somebody copied it, so the whole family ends (RFC 9700, section 4.14.2).
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from services.contracts.errors import Unauthenticated

Session = dict[str, Any]

ACCESS_LASTS = timedelta(minutes=15)
REFRESH_LASTS = timedelta(days=30)


def new_secret() -> str:
    """The secret part of a refresh token: 256 random bits."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored of a refresh token."""
    return hashlib.sha256(secret.encode()).hexdigest()


def open_session(member_id: str, secret: str, *, id: str, now: datetime) -> Session:
    """A new session of a member."""
    return {
        "_id": id,
        "member_id": member_id,
        "token_hash": digest(secret),
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


def reused(session: Session, secret: str) -> bool:
    """Whether this secret was valid once but is not the youngest: somebody has copied it, or guesses."""
    return not secrets.compare_digest(session["token_hash"], digest(secret))


def rotate(session: Session, secret: str, now: datetime) -> Session:
    """The session with a new youngest token."""
    return {**session, "token_hash": digest(secret), "changed_at": now, "expires_at": now + REFRESH_LASTS}


def claims(session: Session, roles: list[str], now: datetime) -> dict[str, Any]:
    """What the access token of a session says besides issuer and audience (RFC 7519)."""
    return {
        "sub": session["member_id"],
        "sid": session["_id"],
        "roles": sorted(roles),
        "iat": int(now.timestamp()),
        "nbf": int(now.timestamp()),
        "exp": int((now + ACCESS_LASTS).timestamp()),
    }
