"""The gateway alone: in this process with services that are played, or under gunicorn on the real broker."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from flask.testing import FlaskClient

from deploy.local.keys import Keys
from gateway.app import Gateway, create
from gateway.config import Config
from tests.gateway.door import Door
from tests.gateway.played import PlayedServices, Responder
from tests.rig.proxy import Proxy

MEMBER = "018f2d6e-5b7c-7a3e-9c41-0f2b6d7e8a90"

Sign = Callable[..., str]


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """The hub's key pair."""
    made = Keys(tmp_path_factory.mktemp("keys"))
    made.prepare()
    return made


@pytest.fixture(scope="session")
def sign(keys: Keys) -> Sign:
    """Makes access tokens; `seconds` says how long they last, other arguments replace claims (None: leaves out)."""
    kid = jwt.PyJWKSet.from_json(keys.jwks_file.read_text()).keys[0].key_id
    pem = keys.private_key_file.read_text()

    def make(member_id: str = MEMBER, seconds: float = 900, key: str = pem, **claims: Any) -> str:
        now = int(time.time())
        known = {"iss": "hearth", "aud": "hearth", "sub": member_id, "sid": "s", "jti": "j", "roles": ["coworker"]}
        times = {"iat": now, "nbf": now, "exp": now + seconds}
        headers = {"kid": claims.pop("kid", kid)}
        payload = {name: value for name, value in (known | times | claims).items() if value is not None}
        return jwt.encode(payload, key, algorithm="EdDSA", headers=headers)

    return make


@pytest.fixture
def bearer(sign: Sign) -> dict[str, str]:
    """Headers of a signed-in member."""
    return {"Authorization": f"Bearer {sign()}"}


@pytest.fixture
def services() -> PlayedServices:
    """The played services: their answers, and the requests that they received."""
    return PlayedServices()


@pytest.fixture(scope="session")
def app(keys: Keys) -> Gateway:
    """The application, connected to nothing."""
    generous = {"rate_limit": 10**6, "rate_limit_anonymous": 10**6, "rate_limit_sign_in": 10**6}
    return create(Config(amqp_uri="amqp://unused", jwks_file=keys.jwks_file, **generous))


@pytest.fixture
def client(app: Gateway, services: PlayedServices) -> FlaskClient:
    """Asks the application, whose services are played."""
    app.extensions["rpc"] = services
    return app.test_client()


@pytest.fixture
def proxy(amqp_uri: str) -> Iterator[Proxy]:
    """Stands between the gateway and the broker, and can fail."""
    with Proxy(amqp_uri) as between:
        yield between


@pytest.fixture
def responder(amqp_uri: str) -> Iterator[Responder]:
    """A service on the real broker that answers what a test wants."""
    with Responder(amqp_uri) as answering:
        yield answering


@pytest.fixture
def door(proxy: Proxy, keys: Keys, tmp_path: Path) -> Iterator[Door]:
    """The gateway under gunicorn, its broker behind the proxy."""
    with Door(tmp_path, AMQP_URI=proxy.uri, TOKEN_JWKS_FILE=str(keys.jwks_file)) as running:
        yield running
