"""What is true of a session, a family of refresh tokens, and of the attempts to open one.

The youngest token of a family works, and brings the next. Tabs may share one, and answers get lost: whoever uses a
token again within the grace is given the youngest, so that all of them hold the same. Using it later means that
somebody copied it, so the whole family ends (RFC 9700, section 4.14.2).

Attempts are counted before their password is checked, and uncounted when it was right: so many at once are not too
many. Where nobody has an account it is all the same, so that nobody learns who has one. A device on which a member
signed in before is counted for itself, so that the guesses of others do not shut it out.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any, TypeGuard

from services.contracts.errors import Forbidden, TooMany, Unauthenticated

Account = dict[str, Any]
Session = dict[str, Any]
Device = dict[str, Any]

ACCESS_LASTS = timedelta(minutes=15)
REFRESH_LASTS = timedelta(days=30)
FAMILY_LASTS = timedelta(days=90)  # then the password is asked for again, however often the tokens were exchanged
GRACE = timedelta(seconds=30)
RECENT = 20  # how many tokens a session remembers within the grace
FAMILIAR = timedelta(days=30)
CLOCKS_DIFFER = timedelta(minutes=1)  # between machines, at most
REVOKED_AT_MOST = 10_000  # members, and sessions
DEVICE_LASTS = timedelta(days=180)  # from its last use


@dataclass(frozen=True)
class Window:
    """How many attempts may fail within what time from the first; the rest of that time others are refused."""

    most: int
    lasts: timedelta


HERE = Window(5, timedelta(minutes=15))  # at an account, from one place
ANYWHERE = Window(50, timedelta(hours=1))  # at an account, from all places together
ANYBODY = Window(100, timedelta(hours=1))  # from a place, at all accounts together
DEVICE = Window(5, timedelta(minutes=15))  # at an account, from a device of its own


def new_secret() -> str:
    """The secret part of a refresh token, or a device token: 256 random bits."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored of such a token."""
    return hashlib.sha256(secret.encode()).hexdigest()


def allow(window: Window, counted: Mapping[str, Any], now: datetime) -> None:
    """Let an attempt go on, if with it `tries` are not too many. Raises TooMany."""
    if counted["tries"] > window.most:
        says = "Too many attempts to sign in have failed. Please try again later."
        raise TooMany("too_many_attempts", says, after=ceil((counted["ends_at"] - now).total_seconds()))


def new_device(member_id: str, token: str, now: datetime) -> Device:
    """What is kept of a device on which a member signed in; `proven` is whether its token was ever shown again."""
    return {"_id": digest(token), "member_id": member_id, "proven": False, "seen_on": day(now)}


def own_device(device: Device | None, account: Account | None, now: datetime) -> Device | None:
    """The device, if it belongs to this account and was used lately; else it counts for nothing."""
    if device is None or account is None or device["member_id"] != account["_id"]:
        return None
    return device if now < device["seen_on"] + DEVICE_LASTS else None


def day(now: datetime) -> datetime:
    """When the day began: nothing finer is kept of when a device was used."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def active(account: Account | None) -> TypeGuard[Account]:
    """Whether somebody may be signed in: accounts can be suspended or removed. One that says nothing is active."""
    return account is not None and account.get("status", "active") == "active"


def admit(account: Account) -> None:
    """Let somebody in who has proven who they are. Raises Forbidden."""
    if not active(account):
        raise Forbidden("suspended", "This account is suspended. Ask an administrator of the hub.")


def open_session(member_id: str, secret: str, *, place: str, id: str, now: datetime) -> Session:
    """A new session of a member; `place` is a keyed hash of where it was opened."""
    return {
        "_id": id,
        "member_id": member_id,
        "token_hash": digest(secret),
        "forgiven_hash": None,
        "recent": [],
        "opened_from": place,
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
    if session is None or session["ended"] is not None or _ends_at(session, session["expires_at"]) <= now:
        raise refused()
    return session


def youngest(session: Session, secret: str) -> bool:
    """Whether this secret is that of the youngest token."""
    return secrets.compare_digest(session["token_hash"], digest(secret))


def reused(session: Session, secret: str, now: datetime) -> bool:
    """Whether this secret leads to no token that works: somebody has copied it, or guesses."""
    latest = _latest(session, secret, now)
    return not (youngest(session, latest) or _forgiven(session, latest, now))


def renew(session: Session, secret: str, fresh: str, now: datetime) -> tuple[Session, str]:
    """The session after a token was used that is not `reused`, and the secret of its youngest token.

    The youngest token makes way for one with the secret `fresh`. An older one leads to the youngest, and nothing
    changes. Where the session remembers as many tokens as it may, the youngest stays: a token must not lose its grace.
    """
    latest, recent = _latest(session, secret, now), _recent(session, now)
    if (latest != secret and youngest(session, latest)) or len(recent) >= RECENT:
        return session, latest
    used = {"hash": digest(latest), "next": _veiled(fresh.encode(), latest), "at": now}
    renewed = {
        **session,
        "token_hash": digest(fresh),
        "forgiven_hash": session["token_hash"],
        "recent": [*recent, used],
        "changed_at": now,
        "expires_at": _ends_at(session, now + REFRESH_LASTS),
    }
    return renewed, fresh


def _ends_at(session: Session, wanted: datetime) -> datetime:
    at_most: datetime = session["opened_at"] + FAMILY_LASTS
    return min(wanted, at_most)


def _recent(session: Session, now: datetime) -> list[dict[str, Any]]:
    """The tokens that were used within the grace: the hash of each, and veiled the secret of the next."""
    return [each for each in session.get("recent", ()) if now - each["at"] < GRACE]


def _latest(session: Session, secret: str, now: datetime) -> str:
    """The secret to which this one leads within the grace; where it leads nowhere, itself."""
    following = {each["hash"]: each["next"] for each in _recent(session, now)}
    while (veiled := following.pop(digest(secret), None)) is not None:
        secret = _veiled(veiled, secret).decode()
    return secret


def _forgiven(session: Session, secret: str, now: datetime) -> bool:
    """Whether this secret is that of the token before, as the version before remembers it: without the next.

    For one release, while both versions may serve.
    """
    recent = now - session["changed_at"] < GRACE
    return recent and secrets.compare_digest(session.get("forgiven_hash") or "", digest(secret))


def _veiled(text: bytes, secret: str) -> bytes:
    """A text that only who has the secret can read, or such a text, read again.

    The pad is made of the 256 random bits of the secret (SHAKE256, FIPS 202). It serves for one text only, as a token
    has one next. The store holds neither secret nor pad.
    """
    pad = hashlib.shake_256(f"next\n{secret}".encode()).digest(len(text))
    return bytes(one ^ other for one, other in zip(text, pad, strict=True))


def access(account: Mapping[str, Any], roles: frozenset[str]) -> dict[str, Any]:
    """What access tokens of a member may say at most, for whoever checks them."""
    since = account.get("sessions_since")
    kept = account.get("kept_session")
    return {"id": account["_id"], "roles": sorted(roles), "since": since and since.isoformat(), "kept_session": kept}


def claims(session: Session, account: Account, alias: str, seal: str, now: datetime) -> dict[str, Any]:
    """What the access token of a session says besides issuer and audience (RFC 7519); signing cuts times to seconds.

    Language and zone have the names of OpenID Connect, and are said only where the member chose them.
    """
    chosen = {"locale": account.get("language"), "zoneinfo": account.get("zone")}
    return {
        **{claim: value for claim, value in chosen.items() if value},
        "sub": session["member_id"],
        "sid": session["_id"],
        "roles": sorted(account["roles"]),
        "alias": alias,
        "seal": seal,
        "iat": now,
        "nbf": now,
        "exp": now + ACCESS_LASTS,
    }
