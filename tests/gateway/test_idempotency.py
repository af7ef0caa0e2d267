"""`Idempotency-Key`: which go where, and what the document says."""

import pytest
from flask.testing import FlaskClient

from services.contracts.errors import Conflict, Invalid
from tests.gateway.played import PlayedServices

VOICE = "/v1/feedback"
ID = "018f2d70-1c3b-7b52-8d0e-3a9f5c6b7d81"


@pytest.mark.parametrize("key", ["a", "~" * 200, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "a,b;c=d"])
def test_a_key_travels_on(client: FlaskClient, services: PlayedServices, bearer: dict[str, str], key: str) -> None:
    services.answers["submit"] = {"id": ID}
    first, again = (client.post(VOICE, json={"text": "t"}, headers=bearer | {"Idempotency-Key": key}) for _ in range(2))
    assert services.keys == [key, key]
    assert (first.status_code, first.data, first.location) == (again.status_code, again.data, again.location)
    assert first.location == f"/v1/feedback/{ID}"


@pytest.mark.parametrize("key", ["", " ", "a b", "ä", "x" * 201, "a\tb", "\x7f"])
def test_what_is_no_key(client: FlaskClient, services: PlayedServices, bearer: dict[str, str], key: str) -> None:
    for url, body in ((VOICE, {"text": "t"}), ("/v1/sessions", {"email": "a@b.example", "password": "p"})):
        answer = client.post(url, json=body, headers=bearer | {"Idempotency-Key": key.encode().decode("latin-1")})
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "Idempotency-Key")
    assert services.asked == []


@pytest.mark.parametrize(
    ("url", "method", "body"),
    [
        ("/v1/members", "register", {"code": "c", "name": "N", "password": "p" * 12}),
        ("/v1/sessions", "open", {"email": "a@b.example", "password": "p"}),
        ("/v1/sessions/refresh", "refresh", {"refresh_token": "t"}),
        ("/v1/feedback/claims", "outcome", {"claim_code": "c"}),
    ],
)
def test_nobody_in_particular_has_no_answers_kept(
    client: FlaskClient, services: PlayedServices, bearer: dict[str, str], url: str, method: str, body: dict
) -> None:
    services.answers[method] = {"id": ID}
    assert client.post(url, json=body, headers=bearer | {"Idempotency-Key": "k"}).status_code in (200, 201)
    assert services.keys == [None]


def test_only_posts_have_keys(client: FlaskClient, services: PlayedServices, bearer: dict[str, str]) -> None:
    headers = bearer | {"Idempotency-Key": "k"}
    client.get("/v1/me", headers=headers)
    client.patch("/v1/me", json={"name": "N"}, headers=headers)
    assert services.keys == [None, None]
    assert client.get("/v1/me", headers=bearer | {"Idempotency-Key": ""}).status_code == 200
    assert client.post("/v1/nowhere", headers=bearer | {"Idempotency-Key": ""}).status_code == 404


@pytest.mark.parametrize(
    ("refusal", "status"), [(Invalid("idempotency_key_reused", "…"), 422), (Conflict("still_running", "…"), 409)]
)
def test_how_a_service_refuses_a_key(
    client: FlaskClient, services: PlayedServices, bearer: dict[str, str], refusal: Exception, status: int
) -> None:
    services.answers["read_all"] = refusal
    answer = client.post("/v1/notifications/read", headers=bearer | {"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json["code"]) == (status, refusal.args[0])


def test_every_post_says_that_it_takes_one(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json
    reference = {"$ref": "#/components/parameters/Idempotency-Key"}
    parameter = document["components"]["parameters"]["Idempotency-Key"]
    assert (parameter["name"], parameter["in"]) == ("Idempotency-Key", "header")
    assert not parameter.get("required", False)
    for path, item in document["paths"].items():
        for method in set(item) - {"parameters"}:
            assert (reference in item[method].get("parameters", ())) == (method == "post"), (method, path)
            if method == "post":
                assert "422" in item[method]["responses"]
                assert ("409" in item[method]["responses"]) >= ("security" not in item[method])
