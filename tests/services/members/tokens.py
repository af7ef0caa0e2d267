"""Access tokens as the members service would sign them, for tests that call a service directly."""

import time
from collections.abc import Callable
from pathlib import Path

import jwt

Sign = Callable[[str, list[str]], str]


def signer(environment: dict[str, str]) -> Sign:
    """Makes access tokens that the processes of this environment trust."""
    public, key = (Path(environment[name]).read_text() for name in ("TOKEN_JWKS_FILE", "TOKEN_PRIVATE_KEY_FILE"))
    kid = jwt.PyJWKSet.from_json(public).keys[0].key_id

    def sign(member_id: str, roles: list[str]) -> str:
        times = {"nbf": int(time.time()), "exp": int(time.time()) + 900}
        claims = {"iss": "hearth", "aud": "hearth", "sub": member_id, "sid": "s", "roles": roles}
        return jwt.encode(claims | times, key, algorithm="EdDSA", headers={"kid": kid})

    return sign
