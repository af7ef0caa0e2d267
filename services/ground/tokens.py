"""Access tokens: who is calling, proven by a signature.

A token is a JWT signed with EdDSA (RFC 8037); any holder of the public keys (`/.well-known/jwks.json`) can check it.
"""

import re
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt

from services.contracts.errors import Unauthenticated
from services.contracts.roles import Actor
from services.ground import clock

ISSUER = AUDIENCE = "hearth"
EXPIRED = "The access token has expired. Exchange the refresh token for the next one, or sign in again."
_KEPT = 4096  # tokens, each at most _LONGEST
_LONGEST = 2048  # characters; ours have some 500
# A lenient reader of Base64 skips foreign characters. One token could then be written in any number of ways, and each
# would be remembered.
_is_token = re.compile(r"[\w-]+\.[\w-]+\.[\w-]{86}", re.ASCII).fullmatch
# PyJWT would compare with the machine's clock; ours is the platform's, and is compared below.
_CHECKED: Any = {
    "require": ["exp", "nbf", "aud", "iss", "sub", "sid"],
    **{"verify_exp": False, "verify_nbf": False, "verify_iat": False},
}
_CLOCKS_DIFFER = 2  # seconds, between the machine that signed and this one


@dataclass(frozen=True)
class Caller(Actor):
    """The member on whose behalf a call is made. `issued_at` and `expires_at` are in Unix seconds.

    `alias` names the member for one day. It can't be traced to the member without the signing key, so a service can
    count a member's deeds without keeping who did them. `seal` stands for the member on every day, and seals what is
    kept for them. Only their tokens hold it; it is never stored. Both are empty in tokens of versions that did not know
    them. `network` is the origin of a call that only some may make; None for all other calls.
    """

    session_id: str
    issued_at: float
    expires_at: float
    alias: str = ""
    network: str | None = None
    seal: str = field(default="", repr=False)
    language: str = ""
    zone: str = ""


class Tokens:
    """Checks access tokens against a JWK Set; each is verified once and remembered until it expires."""

    def __init__(self, jwks_file: Path) -> None:
        keys = jwt.PyJWKSet.from_json(jwks_file.read_text()).keys
        self._keys = {key.key_id: key.key for key in keys}
        self._known: OrderedDict[str, Caller] = OrderedDict()

    def caller(self, token: str | None) -> Caller:
        """The caller whom a token names. Raises Unauthenticated if it is missing, forged, not valid yet or expired."""
        if not token:
            raise Unauthenticated("token_missing", "Sign in first: this needs an access token.")
        known = self._known.get(token) or self._remember(token)
        if known.expires_at <= clock.seconds():
            self._known.pop(token, None)
            raise Unauthenticated("token_expired", EXPIRED)
        return known

    def _remember(self, token: str) -> Caller:
        if len(token) > _LONGEST or not _is_token(token):
            raise Unauthenticated("token_invalid", "This access token is not one of ours. Sign in again.")
        caller = self._verify(token)
        self._known[token] = caller
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return caller

    def _verify(self, token: str) -> Caller:
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            claims = jwt.decode(
                token,
                key,
                algorithms=["EdDSA"],
                audience=AUDIENCE,
                issuer=ISSUER,
                options=_CHECKED,
            )
            now, begins, ends = clock.seconds(), float(claims["nbf"]), float(claims["exp"])
            if not begins - _CLOCKS_DIFFER <= now:
                raise Unauthenticated("token_invalid", "This access token is not one of ours. Sign in again.")
            if not now < ends + _CLOCKS_DIFFER:
                raise Unauthenticated("token_expired", EXPIRED)
            return Caller(
                str(claims["sub"]),
                frozenset(claims.get("roles", [])),
                str(claims["sid"]),
                begins,
                ends,
                str(claims.get("alias", "")),
                seal=str(claims.get("seal", "")),
                language=str(claims.get("locale", "")),
                zone=str(claims.get("zoneinfo", "")),
            )
        except (jwt.PyJWTError, KeyError, TypeError, ValueError, RecursionError):
            raise Unauthenticated("token_invalid", "This access token is not one of ours. Sign in again.") from None
