"""The key that signs access tokens; only this service holds it."""

import base64
import functools
import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from nameko.extensions import DependencyProvider

from services.ground.tokens import AUDIENCE, ISSUER


class Signer(DependencyProvider):
    """Signs access tokens with the Ed25519 key in the file that TOKEN_PRIVATE_KEY_FILE names."""

    def setup(self) -> None:
        file = self.container.config["settings"].files["TOKEN_PRIVATE_KEY_FILE"]
        key = load_pem_private_key(file.read_bytes(), None)
        if not isinstance(key, Ed25519PrivateKey):
            raise TypeError("TOKEN_PRIVATE_KEY_FILE must hold an Ed25519 key in PEM.")
        self._key, self._kid = key, thumbprint(key)

    def get_dependency(self, worker_ctx: object) -> "Signer":
        return self

    def sign(self, claims: dict[str, Any]) -> str:
        """An access token with these claims."""
        about_us = {"iss": ISSUER, "aud": AUDIENCE, "jti": secrets.token_urlsafe(12)}
        return jwt.encode({**claims, **about_us}, self._key, algorithm="EdDSA", headers={"kid": self._kid})

    def mac(self, purpose: str, *parts: str) -> str:
        """A keyed hash of these words for one purpose, as 64 hexadecimal digits. Only the signing key can make it.

        The key for the purpose is derived by HKDF (RFC 5869), so that no second secret has to be kept.
        """
        return hmac.digest(self._derived(purpose), "\n".join(parts).encode(), "sha256").hex()

    def names(self, member_id: str, now: datetime) -> tuple[str, str]:
        """The alias of a member on this day, and their seal (see `Caller`)."""
        return self.mac("alias", member_id, now.date().isoformat()), self.mac("seal", member_id)

    @functools.cache  # noqa: B019 - a process has one signer for each capability, and few purposes
    def _derived(self, purpose: str) -> bytes:
        return HKDF(SHA256(), 32, None, f"hearth {purpose}".encode()).derive(self._key.private_bytes_raw())


def thumbprint(key: Ed25519PrivateKey) -> str:
    """The key's name: its JWK thumbprint (RFC 7638)."""
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    public = {"crv": "Ed25519", "kty": "OKP", "x": base64.urlsafe_b64encode(raw).decode().rstrip("=")}
    return base64.urlsafe_b64encode(hashlib.sha256(orjson.dumps(public)).digest()).decode().rstrip("=")
