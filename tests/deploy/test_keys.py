"""The key pair that signs access tokens."""

import base64
import json
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.local.keys import Keys, jwk


def test_the_key_id_is_the_thumbprint_of_the_standard() -> None:
    """The example of RFC 8037, appendix A."""
    secret = base64.urlsafe_b64decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
    key = jwk(Ed25519PrivateKey.from_private_bytes(secret))
    assert key["x"] == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert key["kid"] == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_keys_are_made_once_and_the_private_one_is_private(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    keys.prepare()
    first = keys.private_key_file.read_bytes(), keys.jwks_file.read_bytes()
    Keys(tmp_path).prepare()
    assert (keys.private_key_file.read_bytes(), keys.jwks_file.read_bytes()) == first
    assert stat.S_IMODE(keys.private_key_file.stat().st_mode) == 0o600
    assert "d" not in json.loads(first[1])["keys"][0]
