"""Every operation needs a valid access token, except the public ones."""

import base64
import hmac
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient

from deploy.local.keys import Keys
from gateway.app import Gateway
from gateway.routes.web import SCREENS
from tests.gateway.conftest import Sign
from tests.gateway.played import PlayedServices

PUBLIC = {
    ("POST", "/v1/members"),
    ("POST", "/v1/sessions"),
    ("POST", "/v1/sessions/refresh"),
    ("POST", "/v1/sessions/browser"),
    ("POST", "/v1/sessions/browser/refresh"),
    ("POST", "/v1/feedback/claims"),
    ("POST", "/v1/password-resets"),
    ("GET", "/v1/house"),
    ("GET", "/livez"),
    ("GET", "/readyz"),
    ("GET", "/readyz/gateway"),
    ("GET", "/metrics"),
    ("GET", "/.well-known/jwks.json"),
    ("GET", "/openapi.json"),
    ("GET", "/asyncapi.json"),
    ("GET", "/docs"),
    ("GET", "/docs/start.js"),
    ("GET", "/docs/<path:name>"),
    ("GET", "/bus"),
    ("GET", "/bus/<path:name>"),
    ("GET", "/"),
    ("GET", "/assets/<path:name>"),
    ("GET", "/icon.svg"),
    ("GET", "/manifest.webmanifest"),
    ("GET", "/house.css"),
    *(("GET", f"/{screen}") for screen in SCREENS),
    *(("GET", f"/{screen}/<path:rest>") for screen in SCREENS),
}


def _other_key() -> str:
    formats = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return Ed25519PrivateKey.generate().private_bytes(*formats).decode()


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_everything_but_a_few_routes_needs_a_token(app: Gateway, client: FlaskClient, services: PlayedServices) -> None:
    open_to_all = set()
    for rule in app.url_map.iter_rules():
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            path = rule.rule.replace("<path:name>", "swagger-ui.css")
            for name in rule.arguments:
                path = path.replace(f"<id:{name}>", "018f2d6e-5b7c-7a3e-9c41-0f2b6d7e8a90")
            if rule.rule == "/readyz" or client.open(path, method=method).status_code != 401:
                open_to_all.add((method, rule.rule))
    assert open_to_all == PUBLIC
    assert [target for target, _ in services.asked] == ["members.house.show"], "what is sent without a body"


def test_the_token_travels_on(
    client: FlaskClient, services: PlayedServices, bearer: dict[str, str], sign: Sign
) -> None:
    services.answers["me"] = {"id": "x"}
    assert client.get("/v1/me", headers=bearer).json == {"id": "x"}
    token = sign()
    assert client.get("/v1/me", headers={"Authorization": f"bearer {token}"}).status_code == 200
    assert services.tokens == [bearer["Authorization"].split()[1], token]


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic dTpw", "Bearer x", "Bearer a.b.c", "Bearer " + "[" * 6000, "Bearer ä"]
)
def test_no_token_or_none_at_all(client: FlaskClient, header: str) -> None:
    answer = client.get("/v1/me", headers={"Authorization": header.encode().decode("latin-1")})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    "wrong",
    [
        {"seconds": -1},
        {"nbf": time.time() + 3600},
        {"aud": "another"},
        {"iss": "another"},
        {"exp": None},
        {"nbf": None},
        {"aud": None},
        {"iss": None},
        {"sub": None},
        {"sub": 5},
        {"kid": "another"},
        {"kid": ""},
        {"key": _other_key()},
    ],
    ids=",".join,
)
def test_forged_or_stale_tokens(client: FlaskClient, services: PlayedServices, sign: Sign, wrong: dict) -> None:
    answer = client.get("/v1/me", headers={"Authorization": f"Bearer {sign(**wrong)}"})
    assert answer.status_code == 401
    assert answer.json["code"] in ("token_invalid", "token_expired")
    assert services.asked == []


@pytest.mark.parametrize("algorithm", ["none", "HS256", "None", "ES256"])
def test_algorithms_other_than_ours(client: FlaskClient, keys: Keys, sign: Sign, algorithm: str) -> None:
    _, payload, signature = sign().split(".")
    kid = jwt.get_unverified_header(sign())["kid"]
    forged = {"alg": algorithm, "typ": "JWT", "kid": kid}
    tokens = [f"{_part(forged)}.{payload}.{end}" for end in ("", signature)]
    if algorithm == "HS256":  # signed with the public key as the secret
        signed = f"{_part(forged)}.{payload}"
        for secret in (keys.jwks_file.read_bytes(), json.loads(keys.jwks_file.read_text())["keys"][0]["x"].encode()):
            mac = base64.urlsafe_b64encode(hmac.digest(secret, signed.encode(), "sha256")).rstrip(b"=").decode()
            tokens.append(f"{signed}.{mac}")
    for token in tokens:
        assert client.get("/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_token_that_was_good_is_not_good_for_ever(client: FlaskClient, sign: Sign) -> None:
    headers = {"Authorization": f"Bearer {sign(seconds=2)}"}
    assert client.get("/v1/me", headers=headers).status_code == 200
    time.sleep(2.1)
    answer = client.get("/v1/me", headers=headers)
    assert (answer.status_code, answer.json["code"]) == (401, "token_expired")


def test_the_keys_are_public(client: FlaskClient) -> None:
    (key,) = client.get("/.well-known/jwks.json").json["keys"]
    assert (key["kty"], key["crv"]) == ("OKP", "Ed25519")
    assert "d" not in key
