"""The rules of a session and of the attempts to open one. A session is a family of refresh tokens.

The youngest token of a family works; using it makes the next. Tabs may share a token, and answers get lost. So a token
that is used again within the grace leads to the youngest, and all tabs hold the same token. Later use means that the
token was copied, so the whole family ends (RFC 9700, section 4.14.2).

A browser may sleep before it reads an answer. So its session is patient: the previous token leads to the youngest for a
day, until the youngest is used for the first time.

An attempt is counted before its password is checked, and uncounted if the password was right. So parallel attempts
can't exceed the limit. Unknown addresses are treated the same, so that nobody learns which addresses have accounts.
A device on which the member signed in before has its own count, so that guesses from elsewhere do not shut it out.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any, NotRequired, TypedDict

from services.contracts.errors import Forbidden, TooMany, Unauthenticated
from services.members.account import Account, Device, active

ACCESS_LASTS = timedelta(minutes=15)
REFRESH_LASTS = timedelta(days=30)
FAMILY_LASTS = timedelta(days=90)  # then the member must sign in again, even if the tokens were exchanged
GRACE = timedelta(seconds=30)
PATIENCE = timedelta(days=1)  # of a patient session, with the token before its youngest
RECENT = 20  # tokens that a session remembers within the grace
FAMILIAR = timedelta(days=30)
CLOCKS_DIFFER = timedelta(minutes=1)  # between machines, at most
REVOKED_AT_MOST = 10_000  # members, and sessions
DEVICE_LASTS = timedelta(days=180)  # from its last use


class Session(TypedDict):
    """A session, as it is kept."""

    _id: str
    member_id: str
    token_hash: str
    forgiven_hash: str | None
    recent: NotRequired[list[dict[str, Any]]]
    patient: NotRequired[bool]
    opened_from: str
    opened_at: NotRequired[datetime]
    expires_at: datetime
    ended: str | None
    ended_at: NotRequired[datetime]
    changed_at: datetime
    version: NotRequired[int]
    sequence: NotRequired[int]


@dataclass(frozen=True)
class Window:
    """A limit of attempts: `most` may fail within `lasts` from the first. Further ones are refused until it ends."""

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
    """The hash of such a token. Only this is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


def allow(window: Window, counted: Mapping[str, Any], now: datetime) -> None:
    """Check that the counted attempts, this one included, are within the window's limit. Raises TooMany."""
    if counted["tries"] > window.most:
        says = "Too many tries with a wrong password. Please wait before the next, as long as Retry-After says."
        raise TooMany("too_many_attempts", says, after=ceil((counted["ends_at"] - now).total_seconds()))


def new_device(member_id: str, token: str, now: datetime) -> Device:
    """A device on which a member signed in, as it is stored. `proven` becomes True when its token is used again."""
    return {"_id": digest(token), "member_id": member_id, "proven": False, "seen_on": day(now)}


def own_device(device: Device | None, account: Account | None, now: datetime) -> Device | None:
    """The device, if it belongs to this account and was used lately; else None."""
    if device is None or account is None or device["member_id"] != account["_id"]:
        return None
    return device if now < device["seen_on"] + DEVICE_LASTS else None


def day(now: datetime) -> datetime:
    """The beginning of the day. The use of a device is stored no finer than this."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def admit(account: Account) -> None:
    """Check that a member with a proven password may sign in. Raises Forbidden."""
    if not active(account):
        raise Forbidden("suspended", "This account is suspended. Ask an administrator of the hub.")


def open_session(member_id: str, secret: str, *, place: str, id: str, now: datetime, patient: bool = False) -> Session:
    """A new session of a member. `place` is a keyed hash of the place of sign-in."""
    return {
        "_id": id,
        "member_id": member_id,
        "token_hash": digest(secret),
        "forgiven_hash": None,
        "recent": [],
        "patient": patient,
        "opened_from": place,
        "opened_at": now,
        "changed_at": now,
        "expires_at": now + REFRESH_LASTS,
        "ended": None,
    }


def refresh_token(session: Session, secret: str) -> str:
    """The token that a client keeps: the session's id and the secret."""
    return f"{session['_id']}.{secret}"


def parts(token: str) -> tuple[str, str]:
    """Session id and secret of a refresh token. Raises Unauthenticated."""
    id, dot, secret = token.partition(".")
    if not dot:
        raise refused()
    return id, secret


def refused() -> Unauthenticated:
    """The refusal of a refresh token. It is the same for all reasons."""
    return Unauthenticated("refresh_refused", "This refresh token does not work (any more). Sign in again.")


def alive(session: Session | None, now: datetime) -> Session:
    """The session, if it has neither ended nor expired. Raises Unauthenticated."""
    if session is None or session["ended"] is not None or _ends_at(session, session["expires_at"]) <= now:
        raise refused()
    return session


def youngest(session: Session, secret: str) -> bool:
    """True if this is the secret of the youngest token."""
    return secrets.compare_digest(session["token_hash"], digest(secret))


def reused(session: Session, secret: str, now: datetime) -> bool:
    """True if this secret leads to no token that works. It was copied or guessed."""
    latest = _latest(session, secret, now)
    return not (youngest(session, latest) or _forgiven(session, latest, now))


def renew(session: Session, secret: str, fresh: str, now: datetime) -> tuple[Session, str]:
    """The session after the use of a token that is not `reused`, and the secret of its youngest token.

    The youngest token is replaced by one with the secret `fresh`. An older token leads to the youngest, and the session
    stays unchanged. It also stays if it remembers `RECENT` tokens already: a token must not lose its grace.
    """
    latest, recent = _latest(session, secret, now), _recent(session, now)
    if (latest != secret and youngest(session, latest)) or len(recent) >= RECENT:
        return session, latest
    used = {"hash": digest(latest), "next": _veiled(fresh.encode(), latest), "at": now}
    renewed: Session = {
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
    """The tokens that still lead to a younger one, each with its hash and the veiled secret of the next."""
    lasts = PATIENCE if session.get("patient") else GRACE
    used = session.get("recent", [])
    return [
        *(each for each in used[:-1] if now - each["at"] < GRACE),
        *(each for each in used[-1:] if now - each["at"] < lasts),
    ]


def _latest(session: Session, secret: str, now: datetime) -> str:
    """The secret to which this one leads within the grace, or itself if it leads to no other."""
    following = {each["hash"]: each["next"] for each in _recent(session, now)}
    while (veiled := following.pop(digest(secret), None)) is not None:
        secret = _veiled(veiled, secret).decode()
    return secret


def _forgiven(session: Session, secret: str, now: datetime) -> bool:
    """True if this is the secret of the previous token, as the previous release stores it (without the next secret).

    This is needed for one release, while both versions may run.
    """
    recent = now - session["changed_at"] < GRACE
    return recent and secrets.compare_digest(session.get("forgiven_hash") or "", digest(secret))


def _veiled(text: bytes, secret: str) -> bytes:
    """Encrypt a text with a pad made from the secret, or decrypt it again.

    The pad is made from the secret's 256 random bits (SHAKE256, FIPS 202). It is used for one text only, as a token has
    one successor. The store holds neither the secret nor the pad.
    """
    pad = hashlib.shake_256(f"next\n{secret}".encode()).digest(len(text))
    return bytes(one ^ other for one, other in zip(text, pad, strict=True))


def access(account: Mapping[str, Any], roles: frozenset[str]) -> dict[str, Any]:
    """The most that access tokens of a member may claim, for the gateways that check them."""
    since = account.get("sessions_since")
    kept = account.get("kept_session")
    return {"id": account["_id"], "roles": sorted(roles), "since": since and since.isoformat(), "kept_session": kept}


def claims(session: Session, account: Account, alias: str, seal: str, now: datetime) -> dict[str, Any]:
    """The claims of a session's access token besides issuer and audience (RFC 7519). Signing cuts times to seconds.

    Language and zone have the names of OpenID Connect. They are present only if the member chose them.
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
