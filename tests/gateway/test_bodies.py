"""Bad input: a refusal that names the field, nothing asked of any service, never a fault of ours."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway.played import PlayedServices

URL = "/v1/feedback"


def post(client: FlaskClient, body: bytes, headers: dict[str, str], url: str = URL, **more: Any) -> Any:
    return client.post(url, data=body, headers={"Content-Type": "application/json"} | headers, **more)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nothing",
        b'{"text": "a", "text": "b"}',
        b'{"text": "a", "x": {"y": 1, "y": 2}}',
        b'{"text": NaN}',
        b'{"text": Infinity}',
        b'{"anonymous": 1e999}',
        b'{"text": "\\ud800"}',
        b'{"text": "\xff"}',
        b'\xef\xbb\xbf{"text": "a"}',
        b'{"text": "a\x00"}',
        b"[" * 10_000,
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
    ],
    ids=lambda body: repr(body[:30]),
)
def test_what_is_no_strict_json(
    client: FlaskClient, services: PlayedServices, bearer: dict[str, str], body: bytes
) -> None:
    answer = post(client, body, bearer)
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert services.asked == []


@pytest.mark.parametrize(
    ("url", "body", "field"),
    [
        (URL, b"[]", ""),
        (URL, b"null", ""),
        (URL, b'"text"', ""),
        (URL, b"{}", "text"),
        (URL, b'{"text": 5}', "text"),
        (URL, b'{"text": {"$ne": ""}}', "text"),
        (URL, b'{"text": null}', "text"),
        (URL, b'{"text": "  "}', "text"),
        (URL, b'{"text": "a\\u0000b"}', "text"),
        (URL, b'{"text": "a", "kind": ["need"]}', "kind"),
        (URL, b'{"text": "a", "anonymous": {}}', "anonymous"),
        (URL, b'{"text": "a", "anonymous": 0}', "anonymous"),
        (URL, b'{"text": "a", "anonymous": "true"}', "anonymous"),
        (URL, b'{"text": "a", "author_id": "me"}', "author_id"),
        (URL, b'{"text": "' + b"x" * 4001 + b'"}', "text"),
        ("/v1/events", b'{"audience": {"roles": ["king"]}}', "audience.roles.0"),
        ("/v1/events", b'{"audience": {"everyone": 1}}', "audience.everyone"),
        ("/v1/events", b'{"starts_at": "2027-03-01T09:00:00"}', "starts_at"),
        ("/v1/events", b'{"starts_at": "0001-01-01T00:00:00+23:00"}', "starts_at"),
        ("/v1/events", b'{"link": "javascript:alert(1)"}', "link"),
        ("/v1/invitations", b'{"email": "nobody"}', "email"),
        ("/v1/invitations", b'{"email": "a@b.example", "roles": {"a": 1}}', "roles"),
        ("/v1/invitations", b'{"email": "a@b.example", "roles": []}', "roles"),
    ],
)
def test_the_wrong_field_is_named(
    client: FlaskClient, services: PlayedServices, bearer: dict[str, str], url: str, body: bytes, field: str
) -> None:
    answer = post(client, body, bearer, url)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")
    assert field in [each["field"] for each in answer.json["errors"]]
    assert services.asked == []


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "limit=1e9", "page=2", "status=odd", "mine=maybe"]
)
def test_queries_are_checked_too(client: FlaskClient, bearer: dict[str, str], query: str) -> None:
    answer = client.get(f"{URL}?{query}", headers=bearer)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json["errors"]] == [query.partition("=")[0]]


@pytest.mark.parametrize(
    "type", ["", "text/plain", "application/x-www-form-urlencoded", "application/cloudevents+json"]
)
def test_bodies_are_sent_as_json(client: FlaskClient, bearer: dict[str, str], type: str) -> None:
    assert post(client, b'{"text": "a"}', bearer | {"Content-Type": type}).json["status"] == 415


def test_a_character_set_may_be_named(client: FlaskClient, services: PlayedServices, bearer: dict[str, str]) -> None:
    services.answers["submit"] = {"id": "x"}
    assert (
        post(client, b'{"text": "a"}', bearer | {"Content-Type": "application/json; charset=utf-8"}).status_code == 201
    )


def test_large_bodies(client: FlaskClient, services: PlayedServices, bearer: dict[str, str]) -> None:
    large = b'{"text": "' + b"x" * 65_536 + b'"}'
    assert post(client, large, bearer).json["status"] == 413
    unsaid = {"environ_overrides": {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}}  # as with chunks
    assert post(client, large, bearer, **unsaid).json["status"] == 413
    assert client.post("/v1/notifications/read", data=large, headers=bearer).json["status"] == 413
    assert services.asked == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        "text",
        "kind",
        "touchpoint",
        "anonymous",
        "title",
        "audience",
        "starts_at",
        "link",
        "email",
        "roles",
        "password",
        "name",
        "code",
        "country",
        "languages",
        "tags_have",
        "refresh_token",
        "device_token",
        "claim_code",
        "status",
        "reason",
    ]
)
URLS = st.sampled_from(
    [URL, "/v1/events", "/v1/invitations", "/v1/members", "/v1/sessions", "/v1/sessions/refresh", "/v1/feedback/claims"]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(url=URLS, body=st.dictionaries(FIELDS, JSON, max_size=4) | JSON)
def test_no_body_is_a_fault_of_ours(
    client: FlaskClient, services: PlayedServices, bearer: dict[str, str], url: str, body: Any
) -> None:
    methods = ("submit", "draft", "invite", "register", "open", "refresh", "outcome")
    services.answers = {method: {"id": "x"} for method in methods}
    assert post(client, json.dumps(body).encode(), bearer, url).status_code in (200, 201, 400, 422)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200))
def test_no_bytes_are_a_fault_of_ours(client: FlaskClient, bearer: dict[str, str], body: bytes) -> None:
    assert post(client, body, bearer).status_code in (400, 422)
