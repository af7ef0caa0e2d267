"""Each route makes one call with the fields of the request, and passes the answer on."""

import logging
import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from services.contracts import errors
from services.contracts.calling import CALLS
from tests.gateway.played import PlayedServices
from tests.rig.recipes import OUR_PAGE

ID = "018f2d70-1c3b-7b52-8d0e-3a9f5c6b7d81"
DRAFT = {
    "title": "Café morning",
    "starts_at": "2027-03-01T09:00:00Z",
    "ends_at": "2027-03-01T12:30:00+02:00",
    "audience": {"everyone": True},
}
DRAFTED = {
    **{"title": "Café morning", "description": "", "touchpoint": "workshop", "place": "", "link": None},
    **{"starts_at": "2027-03-01T09:00:00Z", "ends_at": "2027-03-01T10:30:00Z"},
    "audience": {"everyone": True, "roles": [], "tags": []},
}
REGISTRATION = {"code": "c", "name": "N", "password": "p" * 12}
CREDENTIALS = {"email": "a@b.example", "password": "p"}
SIGNED_IN = {"credentials": CREDENTIALS, "origin": "127.0.0.1"}
OF_EVENT, OF_MEMBER, OF_VOICE = ({f"{noun}_id": ID} for noun in ("event", "member", "voice"))
PAGE = {"limit": 20, "cursor": None}
UNBOUND = dict.fromkeys(("status", "host_id", "tag", "touchpoint", "starts_after", "starts_before", "ends_after"))
PUBLISHED = PAGE | UNBOUND | {"mine": False}
MINE = PAGE | {"status": None, "mine": True}
MENTORS = {"limit": 5, "cursor": None, "role": "mentor", "tag": None, "status": "active"}
LISTED = {"query": MENTORS, "all_rows": False}
DENIED = PAGE | {"outcome": "denied", "actor_id": ID}
VOICE = {"text": "t", "kind": None, "touchpoint": "app", "anonymous": False}
DONE, HOST, REFRESH = {"status": "done"}, {"roles": ["host"]}, {"refresh_token": "t"}

# Written by hand, as clients and services rely on these: the declarations must agree with them.
# method, path, body; the call and its arguments; status.
Route = tuple[str, str, Any, str, dict[str, Any], int]
ROUTES: list[Route] = [
    ("POST", "/v1/members", REGISTRATION, "members.invitations.register", {"registration": REGISTRATION}, 201),
    ("GET", "/v1/members?role=mentor&limit=5", None, "members.accounts.browse", LISTED, 200),
    ("PUT", f"/v1/members/{ID}/roles", HOST, "members.accounts.set_roles", OF_MEMBER | {"change": HOST}, 200),
    ("DELETE", f"/v1/members/{ID}/suspension", None, "members.accounts.reinstate", OF_MEMBER, 200),
    ("DELETE", f"/v1/members/{ID}", None, "members.accounts.remove", OF_MEMBER, 204),
    ("GET", "/v1/me", None, "members.accounts.me", {}, 200),
    ("PATCH", "/v1/me", {"name": " N "}, "members.accounts.change_me", {"change": {"name": "N"}}, 200),
    ("POST", "/v1/sessions", CREDENTIALS, "members.sessions.open", SIGNED_IN, 201),
    ("POST", "/v1/sessions/refresh", REFRESH, "members.sessions.refresh", {"request": REFRESH}, 201),
    ("DELETE", "/v1/sessions", None, "members.sessions.close_all", {}, 204),
    ("POST", "/v1/events", DRAFT, "events.calendar.draft", {"draft": DRAFTED}, 201),
    ("PATCH", f"/v1/events/{ID}", {"place": "P"}, "events.calendar.change", OF_EVENT | {"change": {"place": "P"}}, 200),
    ("POST", f"/v1/events/{ID}/publish", None, "events.calendar.publish", OF_EVENT, 200),
    ("GET", "/v1/events", None, "events.calendar.browse", {"query": PUBLISHED}, 200),
    ("POST", "/v1/feedback", {"text": "t"}, "feedback.voices.submit", {"draft": VOICE}, 201),
    ("GET", "/v1/feedback?mine=true", None, "feedback.voices.browse", {"query": MINE}, 200),
    ("PUT", f"/v1/feedback/{ID}/status", DONE, "feedback.voices.move", OF_VOICE | {"move": DONE | {"reason": ""}}, 200),
    ("POST", "/v1/notifications/read", None, "notifications.inbox.read_all", {}, 200),
    ("GET", f"/v1/audit?outcome=denied&actor_id={ID}", None, "members.audit.browse", {"query": DENIED}, 200),
]


@pytest.mark.parametrize(("method", "path", "body", "target", "kwargs", "status"), ROUTES)
def test_a_route_is_one_call(
    client: FlaskClient,
    services: PlayedServices,
    bearer: dict[str, str],
    method: str,
    path: str,
    body: Any,
    target: str,
    kwargs: dict[str, Any],
    status: int,
) -> None:
    result = None if status == 204 else {"id": ID, "said": "as it is", "items": []}
    services.answers[target.rpartition(".")[2]] = result
    answer = client.open(path, method=method, json=body, headers=bearer)
    assert (answer.status_code, answer.json if result else answer.data) == (status, result or b"")
    ((asked, given),) = services.asked
    assert (asked, orjson.loads(orjson.dumps(given, option=orjson.OPT_UTC_Z))) == (target, kwargs)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


BY_OPERATION = {each.operation: each for each in CALLS.values() if each.operation}


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of each operation."""
    for path, item in document["paths"].items():
        for method, described in item.items():
            if path.startswith("/v1/") and method != "parameters":
                yield method.upper(), path, described


def test_every_documented_operation_is_a_call_but_for_the_stream(client: FlaskClient) -> None:
    found = {described["operationId"] for _, _, described in operations(client.get("/openapi.json").json)}
    assert found - BY_OPERATION.keys() == {"stream_notifications"}
    assert len(found) > 35


def test_every_documented_operation_asks_what_is_declared(
    client: FlaskClient, services: PlayedServices, bearer: dict[str, str]
) -> None:
    """Each is asked as its document shows: with its example, at its address, with a token or without."""
    for method, path, described in operations(client.get("/openapi.json").json):
        declared = BY_OPERATION.get(described["operationId"])
        if declared is None:
            continue
        services.asked.clear()
        client.set_cookie("__Host-hearth", f"{ID}.secret", secure=False)
        services.answers[declared.method] = {"id": ID, "items": [], "next": None} if declared.gives else None
        body = described.get("requestBody", {"content": {"": {}}})["content"]
        example = next(iter(body.values())).get("example")
        address = re.sub(r"{\w+}", ID, path)
        answer = client.open(
            address, method=method, json=example, headers=OUR_PAGE | ({} if declared.public else bearer)
        )
        assert [target for target, _ in services.asked] == [declared.target], (method, path, answer.text)
        assert services.asked[0][1].keys() == declared.takes.keys()
        assert str(answer.status_code) == next(each for each in described["responses"] if each.startswith("2"))
        assert (described.get("security") == []) == declared.public
        made = described["responses"].get("201", {}).get("headers", {})
        assert ("Location" in answer.headers) == ("Location" in made)


@pytest.mark.parametrize(
    ("path", "method", "body", "location"),
    [
        ("/v1/members", "register", REGISTRATION, f"/v1/members/{ID}"),
        ("/v1/sessions", "open", CREDENTIALS, "/v1/sessions/current"),
        ("/v1/events", "draft", DRAFT, f"/v1/events/{ID}"),
        ("/v1/feedback", "submit", {"text": "t"}, f"/v1/feedback/{ID}"),
    ],
)
def test_what_was_made_says_where_it_is(
    client: FlaskClient,
    services: PlayedServices,
    bearer: dict[str, str],
    path: str,
    method: str,
    body: Any,
    location: str,
) -> None:
    services.answers[method] = {"id": ID}
    assert client.post(path, json=body, headers=bearer).headers["Location"] == location


@pytest.mark.parametrize(
    ("family", "status"),
    [
        (errors.Invalid, 422),
        (errors.Unauthenticated, 401),
        (errors.Forbidden, 403),
        (errors.NotFound, 404),
        (errors.Conflict, 409),
        (errors.TooMany, 429),
        (errors.Unavailable, 503),
        (errors.NotYet, 503),
        (errors.Unexpected, 500),
    ],
)
def test_a_refusal_becomes_a_problem_document(
    client: FlaskClient, services: PlayedServices, bearer: dict[str, str], family: type[errors.Refusal], status: int
) -> None:
    services.answers["me"] = family("the_code", "A sentence.", [{"field": "a.b", "says": "Wrong."}])
    answer = client.get("/v1/me", headers=bearer | {"X-Request-ID": "r-1"})
    assert answer.content_type == "application/problem+json"
    assert answer.status_code == status
    assert answer.json.pop("title")
    assert answer.json | {"title": ""} == {
        "type": "urn:hearth:problem:the_code",
        "title": "",
        "status": status,
        "detail": "A sentence.",
        "code": "the_code",
        "instance": "urn:hearth:request:r-1",
        "errors": [{"field": "a.b", "says": "Wrong."}],
    }
    assert answer.headers.get("Retry-After") == ("1" if status in (429, 503) else None)
    assert answer.headers.get("WWW-Authenticate") == ("Bearer" if status == 401 else None)


def test_a_fault_of_ours_tells_no_internals(
    client: FlaskClient, services: PlayedServices, bearer: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    services.answers["me"] = RuntimeError("the password is 1234")
    answer = client.get("/v1/me", headers=bearer)
    assert (answer.status_code, answer.json["code"]) == (500, "unexpected")
    assert "1234" not in answer.text


@pytest.mark.parametrize("id", ["x", "1", ID.upper(), ID[:-1], f"{ID}0", f"{ID}%00", "..%2f..%2fetc", "$ne"])
def test_what_is_no_id_is_at_no_address(
    client: FlaskClient, services: PlayedServices, bearer: dict[str, str], id: str
) -> None:
    answer = client.get(f"/v1/events/{id}", headers=bearer)
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert services.asked == []


def test_unknown_addresses_and_methods(client: FlaskClient, bearer: dict[str, str]) -> None:
    assert client.get("/v2/me").json["status"] == 404
    answer = client.delete("/v1/me", headers=bearer)
    assert (answer.status_code, answer.json["code"]) == (405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) >= {"GET", "PATCH"}


def test_correlation_ids(client: FlaskClient) -> None:
    assert client.get("/livez", headers={"X-Request-ID": "a.B_c-1"}).headers["X-Request-ID"] == "a.B_c-1"
    for wrong in ("", "a b", "ä", "x" * 65, "a;b"):
        given = client.get("/livez", headers={"X-Request-ID": wrong.encode().decode("latin-1")}).headers["X-Request-ID"]
        assert given != wrong
        assert len(given) == 32


def test_the_log_has_one_line_a_request_and_nothing_of_the_member(
    client: FlaskClient,
    services: PlayedServices,
    bearer: dict[str, str],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import sys

    import structlog

    from gateway.door import hooks
    from services.ground import logs

    logs.configure("gateway", "INFO", "json")
    before = structlog.get_config()
    monkeypatch.setattr(hooks, "log", structlog.get_logger())
    structlog.configure(logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer), cache_logger_on_first_use=False)
    services.answers["submit"] = {"id": ID}
    headers = bearer | {"X-Request-ID": "r-2"}
    try:
        client.post("/v1/feedback?a=secret", json={"text": "secret", "anonymous": True}, headers=headers)
    finally:
        structlog.configure(**before)
    (line,) = [line for line in capfd.readouterr().out.splitlines() if "r-2" in line]
    record = orjson.loads(line)
    assert record.pop("ms") >= 0
    assert {"method": "POST", "route": "/v1/feedback", "status": 201, "correlation_id": "r-2"}.items() <= record.items()
    assert set(record) == {"method", "route", "status", "correlation_id", "event", "level", "at", "process"}
    assert logging.getLogger().handlers
