"""The key pair that signs access tokens."""

import base64
import hashlib
import json
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.local import private


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def jwk(key: Ed25519PrivateKey) -> dict[str, str]:
    """The public half as a JSON Web Key whose `kid` is its thumbprint (RFC 7638)."""
    public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    essence = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(public)}
    thumbprint = hashlib.sha256(json.dumps(essence, separators=(",", ":"), sort_keys=True).encode()).digest()
    return essence | {"alg": "EdDSA", "use": "sig", "kid": _base64url(thumbprint)}


class Keys:
    """An Ed25519 key pair in a folder, made on first use: `token.pem` (PKCS8) and `jwks.json` (a JWK Set)."""

    def __init__(self, base: Path) -> None:
        self.private_key_file = base / "keys" / "token.pem"
        self.jwks_file = base / "keys" / "jwks.json"

    def prepare(self) -> None:
        if not self.private_key_file.exists():
            pem = Ed25519PrivateKey.generate().private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            private.write(self.private_key_file, pem.decode())
        key = serialization.load_pem_private_key(self.private_key_file.read_bytes(), password=None)
        assert isinstance(key, Ed25519PrivateKey)
        private.write_json(self.jwks_file, {"keys": [jwk(key)]})
