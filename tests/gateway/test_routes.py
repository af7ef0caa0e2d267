"""Each route: one call, with what was sent; what was answered, passed on."""

import logging
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from services.contracts import errors
from tests.gateway.played import PlayedServices

ID = "018f2d70-1c3b-7b52-8d0e-3a9f5c6b7d81"
DRAFT = {
    "title": "Café morning",
    "starts_at": "2027-03-01T09:00:00Z",
    "ends_at": "2027-03-01T12:30:00+02:00",
    "audience": {"everyone": True},
}
VOICE = {"kind": None, "touchpoint": "app", "anonymous": False}
PAGE = {"limit": 20, "cursor": None}
PUBLISHED = {"status": "published", "starts_after": None}
MINE = {"status": None, "mine": True}

# method, path, body; what is called, with which arguments; status
Route = tuple[str, str, Any, str, dict[str, Any], int]
REGISTRATION = {"code": "c", "name": "N", "password": "p" * 12}
CREDENTIALS = {"email": "a@b.example", "password": "p"}
DRAFTED = {
    **{"title": "Café morning", "description": "", "touchpoint": "workshop", "place": "", "link": None},
    **{"starts_at": "2027-03-01T09:00:00Z", "ends_at": "2027-03-01T10:30:00Z"},
    "audience": {"everyone": True, "roles": [], "tags": []},
}
INVITED = {"email": "a@b.example", "roles": ["coworker"]}
OF_VOICE, OF_EVENT, OF_MEMBER, OF_INVITATION = (
    {f"{noun}_id": ID} for noun in ("voice", "event", "member", "invitation")
)
BY_ROLE = {"limit": 5, "cursor": None, "role": "mentor", "tag": None, "status": "active"}
SHUT, FORGOTTEN = {"reason": "Somebody else uses it."}, {"code": "c", "password": "p" * 12}
ANOTHER = {"present": "p", "password": "q" * 12}
HOST, TEXT, DONE = {"roles": ["host"]}, {"text": "t"}, {"status": "done"}
WHY, CODE, REFRESH = {"reason": "nobody"}, {"claim_code": "c"}, {"refresh_token": "t"}

ACCOUNTS: list[Route] = [
    ("POST", "/v1/invitations", {"email": "a@b.example"}, "members.invitations.invite", {"invitation": INVITED}, 201),
    ("GET", "/v1/invitations", None, "members.invitations.browse", {"query": PAGE}, 200),
    ("POST", f"/v1/invitations/{ID}/resend", None, "members.invitations.resend", OF_INVITATION, 200),
    ("DELETE", f"/v1/invitations/{ID}", None, "members.invitations.withdraw", OF_INVITATION, 204),
    ("POST", "/v1/members", REGISTRATION, "members.invitations.register", {"registration": REGISTRATION}, 201),
    ("GET", "/v1/members?role=mentor&limit=5", None, "members.accounts.browse", {"query": BY_ROLE}, 200),
    ("GET", f"/v1/members/{ID}", None, "members.accounts.show", OF_MEMBER, 200),
    ("PUT", f"/v1/members/{ID}/roles", HOST, "members.accounts.set_roles", OF_MEMBER | {"change": HOST}, 200),
    ("PUT", f"/v1/members/{ID}/suspension", SHUT, "members.accounts.suspend", OF_MEMBER | {"suspension": SHUT}, 200),
    ("DELETE", f"/v1/members/{ID}/suspension", None, "members.accounts.reinstate", OF_MEMBER, 200),
    ("DELETE", f"/v1/members/{ID}", None, "members.accounts.remove", OF_MEMBER, 204),
    ("POST", f"/v1/members/{ID}/password-reset", None, "members.credentials.issue", OF_MEMBER, 201),
    ("POST", "/v1/password-resets", FORGOTTEN, "members.credentials.reset", {"reset": FORGOTTEN}, 204),
    ("DELETE", f"/v1/members/{ID}/sessions", None, "members.credentials.end_sessions", OF_MEMBER, 204),
    ("PUT", "/v1/me/password", ANOTHER, "members.credentials.change", {"change": ANOTHER}, 204),
    ("GET", "/v1/me", None, "members.accounts.me", {}, 200),
    ("PATCH", "/v1/me", {"name": " N "}, "members.accounts.change_me", {"change": {"name": "N"}}, 200),
]
SESSIONS: list[Route] = [
    (
        "POST",
        "/v1/sessions",
        CREDENTIALS,
        "members.sessions.open",
        {"credentials": CREDENTIALS, "origin": "127.0.0.1"},
        201,
    ),
    ("POST", "/v1/sessions/refresh", REFRESH, "members.sessions.refresh", {"request": REFRESH}, 201),
    ("DELETE", "/v1/sessions/current", None, "members.sessions.close", {}, 204),
    ("DELETE", "/v1/sessions", None, "members.sessions.close_all", {}, 204),
]
EVENTS: list[Route] = [
    ("POST", "/v1/events", DRAFT, "events.calendar.draft", {"draft": DRAFTED}, 201),
    ("PATCH", f"/v1/events/{ID}", {"place": "P"}, "events.calendar.change", OF_EVENT | {"change": {"place": "P"}}, 200),
    ("POST", f"/v1/events/{ID}/publish", None, "events.calendar.publish", OF_EVENT, 200),
    ("POST", f"/v1/events/{ID}/cancel", WHY, "events.calendar.cancel", OF_EVENT | {"cancellation": WHY}, 200),
    ("GET", "/v1/events", None, "events.calendar.browse", {"query": PAGE | PUBLISHED}, 200),
    ("GET", f"/v1/events/{ID}", None, "events.calendar.show", OF_EVENT, 200),
]
FEEDBACK: list[Route] = [
    ("POST", "/v1/feedback", TEXT, "feedback.voices.submit", {"draft": TEXT | VOICE}, 201),
    ("GET", "/v1/feedback?mine=true", None, "feedback.voices.browse", {"query": PAGE | MINE}, 200),
    ("GET", f"/v1/feedback/{ID}", None, "feedback.voices.show", OF_VOICE, 200),
    ("POST", f"/v1/feedback/{ID}/answers", TEXT, "feedback.voices.answer", OF_VOICE | {"answer": TEXT}, 201),
    ("PUT", f"/v1/feedback/{ID}/status", DONE, "feedback.voices.move", OF_VOICE | {"move": DONE | {"reason": ""}}, 200),
    ("PUT", f"/v1/feedback/{ID}/takedown", WHY, "feedback.voices.take_down", OF_VOICE | {"takedown": WHY}, 200),
    ("POST", "/v1/feedback/claims", CODE, "feedback.voices.outcome", {"claim": CODE}, 200),
]
DENIED = {"limit": 20, "cursor": None, "outcome": "denied", "actor_id": ID}
AUDIT: list[Route] = [
    ("GET", f"/v1/audit?outcome=denied&actor_id={ID}", None, "members.audit.browse", {"query": DENIED}, 200),
]
NOTIFICATIONS: list[Route] = [
    ("GET", "/v1/notifications", None, "notifications.inbox.browse", {"query": PAGE | {"unread": False}}, 200),
    ("GET", "/v1/notifications/unread", None, "notifications.inbox.unread", {}, 200),
    ("POST", f"/v1/notifications/{ID}/read", None, "notifications.inbox.read", {"notification_id": ID}, 204),
    ("POST", "/v1/notifications/read", None, "notifications.inbox.read_all", {}, 200),
]
ROUTES = [*ACCOUNTS, *SESSIONS, *EVENTS, *FEEDBACK, *NOTIFICATIONS, *AUDIT]


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


def test_all_routes_are_in_the_table(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json
    documented = {
        (method.upper(), path)
        for path, item in document["paths"].items()
        for method in item
        if path.startswith("/v1/") and method != "parameters"
    }
    names = {"members": "member_id", "invitations": "invitation_id", "events": "event_id"}
    names |= {"feedback": "voice_id", "notifications": "notification_id"}
    tried = set()
    for method, path, *_ in ROUTES:
        name = names.get(path.split("/")[2].partition("?")[0])
        tried.add((method, path.partition("?")[0].replace(ID, f"{{{name}}}")))
    assert documented == tried | {("GET", "/v1/notifications/stream")}


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
