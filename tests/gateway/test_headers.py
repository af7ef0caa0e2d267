"""The headers of every answer: other origins, security headers, the announced end of a route."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient

from deploy.local.keys import Keys
from gateway import config
from gateway.api import Blueprint, deprecated
from gateway.app import create
from gateway.document import Api
from gateway.door.auth import public
from services.contracts import calling
from services.contracts.calling import ask
from services.contracts.shapes.notifications import Unread
from tests.gateway.door import Door
from tests.gateway.played import PlayedServices

FRONTEND = "https://app.hub.example"


@pytest.fixture
def visited(keys: Keys, services: PlayedServices) -> FlaskClient:
    """The application with a frontend at another origin."""
    app = create(config.Config(amqp_uri="amqp://unused", jwks_file=keys.jwks_file, cors_origins=(FRONTEND,)))
    app.extensions["rpc"] = services
    return app.test_client()


def preflight(client: FlaskClient, origin: str) -> Any:
    asked = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization, if-match"}
    return client.options("/v1/me", headers={"Origin": origin} | asked)


def test_a_named_origin_may_ask(visited: FlaskClient, services: PlayedServices, bearer: dict[str, str]) -> None:
    may = preflight(visited, FRONTEND)
    assert may.status_code == 200
    assert may.headers["Access-Control-Allow-Origin"] == FRONTEND
    assert "PATCH" in may.headers["Access-Control-Allow-Methods"]
    assert may.headers["Access-Control-Allow-Headers"].lower() == "authorization, if-match"
    services.answers["me"] = {"id": "1", "version": 1}
    shown = visited.get("/v1/me", headers=bearer | {"Origin": FRONTEND})
    assert shown.headers["Access-Control-Allow-Origin"] == FRONTEND
    assert "ETag" in shown.headers["Access-Control-Expose-Headers"]
    refused = visited.get("/v1/me", headers={"Origin": FRONTEND})
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (401, FRONTEND)
    assert "Access-Control-Allow-Credentials" not in shown.headers


def test_what_a_cache_keeps_for_one_origin_is_not_given_to_another(
    visited: FlaskClient, services: PlayedServices, bearer: dict[str, str]
) -> None:
    services.answers["me"] = {"id": "1", "version": 1}
    for headers in ({"Origin": FRONTEND}, {"Origin": "https://evil.example"}, {}):
        for path in ("/v1/me", "/openapi.json", "/.well-known/jwks.json", "/nothing"):
            assert "Origin" in visited.get(path, headers=bearer | headers).vary, (path, headers)


def test_a_frontend_may_read_what_it_needs(visited: FlaskClient) -> None:
    told = visited.get("/livez", headers={"Origin": FRONTEND}).headers["Access-Control-Expose-Headers"]
    needed = {"ETag", "Link", "Location", "Retry-After", "Content-Disposition", "Content-Language"}
    assert {each.strip() for each in told.split(",")} >= needed


def test_blanks_between_origins_are_no_part_of_them(monkeypatch: pytest.MonkeyPatch, keys: Keys) -> None:
    monkeypatch.setenv("AMQP_URI", "amqp://127.0.0.1")
    monkeypatch.setenv("TOKEN_JWKS_FILE", str(keys.jwks_file))
    monkeypatch.setenv("CORS_ORIGINS", f" {FRONTEND} , https://b.example ")
    assert config.load().cors_origins == (FRONTEND, "https://b.example")


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", f"{FRONTEND}.evil.example", "http://app.hub.example"]
)
def test_no_other_origin_may(visited: FlaskClient, origin: str) -> None:
    assert "Access-Control-Allow-Origin" not in preflight(visited, origin).headers


def test_by_default_no_origin_may(client: FlaskClient) -> None:
    assert "Access-Control-Allow-Origin" not in preflight(client, FRONTEND).headers


@pytest.mark.parametrize("origins", ["*", "https://*.hub.example", "app.hub.example", "https://a.example/path"])
def test_an_origin_is_exact(monkeypatch: pytest.MonkeyPatch, keys: Keys, origins: str) -> None:
    for name, value in (("AMQP_URI", "amqp://"), ("TOKEN_JWKS_FILE", str(keys.jwks_file)), ("CORS_ORIGINS", origins)):
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        config.load()
    assert ended.value.code == 2


def test_browsers_are_told_to_be_careful(client: FlaskClient) -> None:
    found = client.get("/livez").headers
    assert found["X-Content-Type-Options"] == "nosniff"
    assert found["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in found["Content-Security-Policy"]
    assert found["Cross-Origin-Resource-Policy"] == "same-origin"
    assert found["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in found
    secure = client.get("/livez", base_url="https://hub.example")
    assert secure.headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize("proxies", [0, 1])
def test_a_proxy_is_believed_only_when_it_is_there(amqp_uri: str, keys: Keys, tmp_path: Path, proxies: int) -> None:
    settings = {"AMQP_URI": amqp_uri, "TOKEN_JWKS_FILE": str(keys.jwks_file), "TRUSTED_PROXIES": str(proxies)}
    with Door(tmp_path, **settings) as door:
        said = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
        found = requests.get(f"{door.url}/livez", headers=said, timeout=5)
        assert ("Strict-Transport-Security" in found.headers) == bool(proxies)
        assert requests.get(f"{door.url}/zzz/livez", headers={"SCRIPT_NAME": "/zzz"}, timeout=5).status_code == 404


def test_the_end_of_a_route_is_announced() -> None:
    app, routes = Flask("old"), Blueprint("old", __name__, description="What is going.")

    @routes.route("/old")
    @deprecated(since=date(2026, 11, 1), sunset=date(2027, 5, 1), instead="/v2/new")
    @routes.response(200, Unread)
    @public
    def old() -> Any:
        """Show what is going."""
        return {"unread": 1}

    api = Api(app)
    api.register_blueprint(routes)
    found = app.test_client().get("/v1/old").headers
    assert found["Deprecation"] == "@1793491200"
    assert found["Sunset"] == "Sat, 01 May 2027 00:00:00 GMT"
    assert found["Link"] == '</v2/new>; rel="successor-version"'
    assert api.document()["paths"]["/v1/old"]["get"]["deprecated"] is True


def test_the_end_of_an_address_of_a_call_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "CALLS", {})
    routes = Blueprint("old", __name__, description="What is going.")
    asked = ask("old.counter.count", operation="count", says="Count.", gives=Unread, public=True)
    end = deprecated(since=date(2026, 11, 1), sunset=date(2027, 5, 1), instead="/v2/new")
    routes.get("/old", asked, deprecated=end)
    api = Api(Flask("old"))
    api.register_blueprint(routes)
    described = api.document()["paths"]["/v1/old"]["get"]
    assert (described["deprecated"], described["x-sunset"], described["security"]) == (True, "2027-05-01", [])


def test_a_route_that_says_not_who_may_use_it_does_not_start() -> None:
    routes = Blueprint("open", __name__, description="What nobody thought of.")
    with pytest.raises(TypeError, match="neither public nor"):

        @routes.route("/open")
        @routes.response(200, Unread)
        def open_to_whom() -> Any:
            """Show."""
