"""Access tokens that are not ours, or not any more: each says that its bearer is a member, and must open no door."""

import base64
import hmac
import json
import time
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.contracts.shapes.parts import ROLES

HOUR = 3600


def forgeries(environment: dict[str, str], member_id: str) -> dict[str, str]:
    """Tokens by what is wrong with them; some are signed with the platform's own key."""
    jwks, ours = Path(environment["TOKEN_JWKS_FILE"]), Path(environment["TOKEN_PRIVATE_KEY_FILE"]).read_text()
    (public,) = json.loads(jwks.read_text())["keys"]
    now = int(time.time())
    claims = {"iss": "hearth", "aud": "hearth", "sub": member_id, "sid": "s", "jti": "j", "roles": list(ROLES)}
    claims |= {"iat": now, "nbf": now, "exp": now + 900}
    head = {"alg": "EdDSA", "typ": "JWT", "kid": public["kid"]}
    other, others = _key()

    def token(key: str = ours, headers: dict[str, Any] | None = None, **changes: Any) -> str:
        payload = {name: value for name, value in (claims | changes).items() if value is not None}
        return jwt.encode(payload, key, algorithm="EdDSA", headers={"kid": public["kid"]} | (headers or {}))

    def unsigned(**changes: Any) -> str:
        return f"{_part(head | changes)}.{_part(claims)}."

    def mac(secret: bytes) -> str:
        said = f"{_part(head | {'alg': 'HS256'})}.{_part(claims)}"
        return f"{said}.{_text(hmac.digest(secret, said.encode(), 'sha256'))}"

    true_head, true_claims, signature = token(roles=["coworker"]).split(".")
    nobody = {"sub": None, "exp": None, "nbf": None, "aud": None, "iss": None, "sid": None}
    return {
        "signed with another key": token(other),
        "no algorithm": unsigned(alg="none"),
        "no algorithm, another spelling": unsigned(alg="nOnE"),
        "no signature": unsigned(),
        "a MAC with the public key": mac(base64.urlsafe_b64decode(public["x"] + "=")),
        "a MAC with the key's text": mac(public["x"].encode()),
        "a MAC with the file of keys": mac(jwks.read_bytes()),
        "an unknown key": token(headers={"kid": "another"}),
        "a path as a key": token(other, {"kid": "../../../../dev/null"}),
        "no key named": f"{_part({'alg': 'EdDSA'})}.{true_claims}.{signature}",
        "expired": token(exp=now - HOUR),
        "not yet valid": token(nbf=now + HOUR),
        "for others": token(aud="another"),
        "of another issuer": token(iss="another"),
        **{f"without {name}": token(**{name: None}) for name in nobody},
        "a number as a member": _signed(ours, head, claims | {"sub": 5}),
        "a list as a member": _signed(ours, head, claims | {"sub": [member_id]}),
        "an operator as a member": _signed(ours, head, claims | {"sub": {"$gt": ""}}),
        "text as the end": _signed(ours, head, claims | {"exp": "never"}),
        "claims that are a list": _signed(ours, head, [claims]),
        "other roles under the signature": f"{true_head}.{_part(claims)}.{signature}",
        "another head over the signature": f"{_part(head | {'crit': ['x'], 'x': 1})}.{true_claims}.{signature}",
        "its own key in the head": token(other, {"jwk": others}),
        "its own key at an address": token(other, {"jku": "http://127.0.0.1:1/keys", "x5u": "http://127.0.0.1:1/x"}),
        "a megabyte": token(other, padding="x" * 1_000_000),
        "no token at all": "[" * 5_000,
    }


def _key() -> tuple[str, dict[str, str]]:
    """A key pair that nobody trusts: the private one as PEM, the public one as JWK."""
    made = Ed25519PrivateKey.generate()
    formats = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    public = made.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return made.private_bytes(*formats).decode(), {"kty": "OKP", "crv": "Ed25519", "x": _text(public)}


def _signed(key: str, head: object, claims: object) -> str:
    """A token whose signature is right, whatever it says: the library would not make each of them."""
    private = serialization.load_pem_private_key(key.encode(), None)
    assert isinstance(private, Ed25519PrivateKey)
    said = f"{_part(head)}.{_part(claims)}"
    return f"{said}.{_text(private.sign(said.encode()))}"


def _part(value: object) -> str:
    return _text(json.dumps(value).encode())


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
