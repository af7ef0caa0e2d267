"""Limits on how often a client may ask, by member and by address."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient

from deploy.local.keys import Keys
from gateway.app import create
from gateway.config import Config
from gateway.door.limits import Rates
from services.contracts.errors import TooMany
from tests.gateway.conftest import Sign
from tests.gateway.door import Door
from tests.gateway.played import PlayedServices

OTHER = "018f2d6e-5b7c-7a3e-9c41-0f2b6d7e8a91"
SIGN_IN = {"json": {"email": "a@b.example", "password": "a long enough password"}}
Build = Callable[..., FlaskClient]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    made = SimpleNamespace(now=1000.0)
    monkeypatch.setattr("gateway.door.limits.time", SimpleNamespace(monotonic=lambda: made.now))
    return made


@pytest.fixture
def build(keys: Keys, services: PlayedServices) -> Build:
    """Makes an application with limits of its own."""

    def make(**settings: Any) -> FlaskClient:
        app = create(Config(amqp_uri="amqp://unused", jwks_file=keys.jwks_file, **settings))
        app.extensions["rpc"] = services
        return app.test_client()

    return make


@pytest.fixture
def by(sign: Sign) -> Callable[[str], dict[str, Any]]:
    return lambda member_id: {"headers": {"Authorization": f"Bearer {sign(member_id)}"}}


def statuses(client: FlaskClient, times: int, method: str, path: str, **request: Any) -> list[int]:
    return [client.open(path, method=method, **request).status_code for _ in range(times)]


def came_from(address: str) -> dict[str, Any]:
    return {"environ_base": {"REMOTE_ADDR": address}}


def test_a_member_may_ask_so_often_a_minute(
    build: Build, clock: SimpleNamespace, by: Any, services: PlayedServices
) -> None:
    client = build(rate_limit=3)
    assert statuses(client, 4, "GET", "/v1/me", **by(OTHER)) == [200, 200, 200, 429]
    assert len(services.asked) == 3
    clock.now += 20.5
    refused = client.get("/v1/events", **by(OTHER))
    assert (refused.status_code, refused.json["code"]) == (429, "too_many_requests")
    assert refused.headers["Retry-After"] == "40"
    assert refused.content_type == "application/problem+json"
    assert client.get("/v1/me", **by("018f2d6e-5b7c-7a3e-9c41-0f2b6d7e8a92")).status_code == 200
    clock.now += 40
    assert statuses(client, 4, "GET", "/v1/me", **by(OTHER)) == [200, 200, 200, 429]


def test_one_member_is_one_with_any_token_and_from_anywhere(build: Build, sign: Sign) -> None:
    client = build(rate_limit=2)
    found = []
    for number in range(4):
        headers = {"Authorization": f"Bearer {sign(OTHER, jti=str(number))}"}
        found.append(client.get("/v1/me", headers=headers, **came_from(f"10.0.0.{number}")).status_code)
    assert found == [200, 200, 429, 429]


@pytest.mark.parametrize("path", ["/v1/sessions", "/v1/sessions/refresh", "/v1/members", "/v1/feedback/claims"])
def test_what_needs_no_token_is_counted_by_address(build: Build, services: PlayedServices, path: str) -> None:
    client = build(rate_limit_sign_in=2, rate_limit=1, rate_limit_anonymous=1)
    assert statuses(client, 4, "POST", path, json={}) == [422, 422, 429, 429]
    assert statuses(client, 1, "POST", path, json={}, **came_from("10.0.0.2")) == [422]
    assert services.asked == []


def test_a_guess_at_a_token_is_counted_and_costs_no_neighbour(build: Build, by: Any, services: PlayedServices) -> None:
    client = build(rate_limit_anonymous=2)
    forged = {"headers": {"Authorization": "Bearer a.b.c"}}
    assert statuses(client, 1, "GET", "/v1/me", **forged) == [401]
    assert statuses(client, 1, "GET", "/v1/me") == [401]
    assert statuses(client, 2, "GET", "/v1/me", **forged) == [429, 429]
    assert statuses(client, 1, "GET", "/nowhere") == [429]
    assert statuses(client, 5, "GET", "/v1/me", **by(OTHER)) == [200] * 5
    assert statuses(client, 1, "POST", "/v1/sessions", **SIGN_IN) == [201]


def test_those_who_watch_are_not_limited_and_those_who_read_are(build: Build) -> None:
    client = build(rate_limit=1, rate_limit_anonymous=5, rate_limit_sign_in=1)
    for path in ("/livez", "/metrics"):
        assert statuses(client, 9, "GET", path) == [200] * 9
    read = ("/.well-known/jwks.json", "/openapi.json", "/asyncapi.json", "/docs", "/docs/start.js", "/openapi.json")
    assert [statuses(client, 1, "GET", path) for path in read] == [[200]] * 5 + [[429]]


def test_refusals_are_counted_by_kind(build: Build) -> None:
    client = build(rate_limit_anonymous=1)

    def counted() -> float:
        name = 'hearth_gateway_limited_total{kind="anonymous"} '
        return float(client.get("/metrics").text.partition(name)[2].split()[0])

    statuses(client, 2, "GET", "/v1/me")
    before = counted()
    statuses(client, 3, "GET", "/v1/me")
    assert counted() == before + 3


@pytest.mark.parametrize(
    ("first", "second", "one"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("", "unknown", True),
    ],
)
def test_which_addresses_are_one(build: Build, first: str, second: str, one: bool) -> None:
    client = build(rate_limit_anonymous=1)
    assert statuses(client, 1, "GET", "/v1/me", **came_from(first)) == [401]
    assert statuses(client, 1, "GET", "/v1/me", **came_from(second)) == [429 if one else 401]


@pytest.mark.parametrize(("proxies", "seen"), [(0, "127.0.0.1"), (1, "192.0.2.3"), (2, "192.0.2.2")])
def test_an_address_is_believed_of_trusted_proxies_only(
    build: Build, services: PlayedServices, proxies: int, seen: str
) -> None:
    client = build(trusted_proxies=proxies)
    client.post("/v1/sessions", headers={"X-Forwarded-For": "192.0.2.1, 192.0.2.2, 192.0.2.3"}, **SIGN_IN)
    ((_, kwargs),) = services.asked
    assert kwargs["origin"] == seen


def test_who_asked_is_forgotten_after_a_minute(clock: SimpleNamespace) -> None:
    rates = Rates(member=1, anonymous=1, sign_in=1)
    for number in range(1000):
        rates.count("anonymous", f"10.0.0.{number}")
    clock.now += 60
    rates.count("anonymous", "10.0.0.0")
    assert len(rates._asked) == 1
    with pytest.raises(TooMany):
        rates.count("anonymous", "10.0.0.0")


def test_under_gunicorn(amqp_uri: str, keys: Keys, tmp_path: Path, bearer: dict[str, str]) -> None:
    limits = {"RATE_LIMIT_ANONYMOUS": "4", "RATE_LIMIT": "5", "TRUSTED_PROXIES": "1"}
    with Door(tmp_path, AMQP_URI=amqp_uri, TOKEN_JWKS_FILE=str(keys.jwks_file), **limits) as door:

        def ask(address: str, **headers: str) -> requests.Response:
            url = f"{door.url}/v1/notifications/stream?surprise=1"
            return requests.get(url, headers={"X-Forwarded-For": address} | headers, timeout=5)

        found = [ask("192.0.2.1") for _ in range(6)]
        assert [each.status_code for each in found] == [401] * 4 + [429] * 2
        assert 1 <= int(found[-1].headers["Retry-After"]) <= 60
        assert ask("192.0.2.2").status_code == 401
        assert [ask("192.0.2.1", **bearer).status_code for _ in range(6)] == [422] * 5 + [429]
        assert ask("192.0.2.1", Authorization="Bearer x.y.z").status_code == 429
