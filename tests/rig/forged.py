"""Access tokens that are not ours, or no longer valid. Each claims that its bearer is a member, and must be refused."""

import base64
import hmac
import json
import time
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.contracts.roles import ROLES

HOUR = 3600
LONG = "a megabyte"


def signed(environment: dict[str, str], member_id: str, **changes: Any) -> str:
    """A token as the platform signs them, but for changes of its claims (None: left out)."""
    ours = Path(environment["TOKEN_PRIVATE_KEY_FILE"]).read_text()
    return _signed(ours, _head(environment), _claims(member_id) | changes)


def forgeries(environment: dict[str, str], member_id: str) -> dict[str, str]:
    """Tokens by what is wrong with them; some are signed with the platform's own key."""
    jwks, now = Path(environment["TOKEN_JWKS_FILE"]).read_bytes(), int(time.time())
    public = json.loads(jwks)["keys"][0]["x"]
    head, claims = _head(environment), _claims(member_id)
    other, others = _key()

    def ours(**changes: Any) -> str:
        return signed(environment, member_id, **changes)

    def strange(**changes: Any) -> str:
        return _signed(other, head | changes, claims)

    def unsigned(**changes: Any) -> str:
        return f"{_part(head | changes)}.{_part(claims)}."

    def mac(secret: bytes) -> str:
        said = f"{_part(head | {'alg': 'HS256'})}.{_part(claims)}"
        return f"{said}.{_text(hmac.digest(secret, said.encode(), 'sha256'))}"

    true_head, true_claims, signature = ours(roles=["coworker"]).split(".")
    return {
        "signed with another key": strange(),
        "no algorithm": unsigned(alg="none"),
        "no algorithm, another spelling": unsigned(alg="nOnE"),
        "no signature": unsigned(),
        "a MAC with the public key": mac(base64.urlsafe_b64decode(public + "=")),
        "a MAC with the key's text": mac(public.encode()),
        "a MAC with the file of keys": mac(jwks),
        "an unknown key": strange(kid="another"),
        "a path as a key": strange(kid="../../../../dev/null"),
        "a list as a key": strange(kid=[head["kid"]]),
        "no key named": f"{_part({'alg': 'EdDSA'})}.{true_claims}.{signature}",
        "expired": ours(exp=now - HOUR),
        "not yet valid": ours(nbf=now + HOUR),
        "for others": ours(aud="another"),
        "of another issuer": ours(iss="another"),
        **{f"without {name}": ours(**{name: None}) for name in ("sub", "exp", "nbf", "aud", "iss", "sid")},
        "a number as a member": ours(sub=5),
        "a list as a member": ours(sub=[member_id]),
        "an operator as a member": ours(sub={"$gt": ""}),
        "text as the end": ours(exp="never"),
        "other roles under the signature": f"{true_head}.{_part(claims)}.{signature}",
        "another head over the signature": f"{_part(head | {'crit': ['x'], 'x': 1})}.{true_claims}.{signature}",
        "its own key in the head": strange(jwk=others),
        "its own key at an address": strange(jku="http://127.0.0.1:1/keys", x5u="http://127.0.0.1:1/x"),
        LONG: strange(padding="x" * 1_000_000),
        "no token at all": "[" * 5_000,
    }


def _head(environment: dict[str, str]) -> dict[str, Any]:
    (public,) = json.loads(Path(environment["TOKEN_JWKS_FILE"]).read_text())["keys"]
    return {"alg": "EdDSA", "typ": "JWT", "kid": public["kid"]}


def _claims(member_id: str) -> dict[str, Any]:
    now = int(time.time())
    said = {"iss": "hearth", "aud": "hearth", "sub": member_id, "sid": "s", "jti": "j", "roles": list(ROLES)}
    return said | {"iat": now, "nbf": now, "exp": now + 900}


def _key() -> tuple[str, dict[str, str]]:
    """A key pair that nobody trusts: the private one as PEM, the public one as JWK."""
    made = Ed25519PrivateKey.generate()
    formats = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    public = made.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return made.private_bytes(*formats).decode(), {"kty": "OKP", "crv": "Ed25519", "x": _text(public)}


def _signed(key: str, head: object, claims: dict[str, Any]) -> str:
    """A token with a valid signature and any content. A library would refuse to make some of them."""
    private = serialization.load_pem_private_key(key.encode(), None)
    assert isinstance(private, Ed25519PrivateKey)
    said = f"{_part(head)}.{_part({name: value for name, value in claims.items() if value is not None})}"
    return f"{said}.{_text(private.sign(said.encode()))}"


def _part(value: object) -> str:
    return _text(json.dumps(value).encode())


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
