"""The gateway's notes for the audit log, and their way there."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import orjson
import pytest
import requests
from flask.testing import FlaskClient

from gateway.app import Gateway, create
from gateway.config import Config
from gateway.door.audit import MOST_DENIED, MOST_WAITING, Notes, network
from services.contracts import errors
from services.contracts.messages.gateway import GATEWAY_NOTED
from tests.gateway.conftest import MEMBER, Sign
from tests.gateway.door import Door
from tests.gateway.played import PlayedServices
from tests.rig.proxy import Proxy
from tests.rig.wire import Listener

ID = "018f2d70-1c3b-7b52-8d0e-3a9f5c6b7d81"
ADDRESS, WRONG_PASSWORD, SAID = "amara@hub.example", "a wrong password", "words of somebody"
CREDENTIALS = {"email": ADDRESS, "password": WRONG_PASSWORD}
FORBIDDEN = errors.Forbidden("administrators_only", f"Not you, {ADDRESS}.")
TOO_MANY = errors.TooMany("too_many_requests", "Slow down.")
REFUSED = errors.Unauthenticated("sign_in_refused", "No.")


@pytest.fixture
def app(keys: Any) -> Gateway:
    """A gateway whose bus is away, so that its notes can be read while they wait."""
    limits = {"rate_limit": 10_000, "rate_limit_anonymous": 10_000, "rate_limit_sign_in": 10_000}
    return create(Config(amqp_uri="amqp://unused", jwks_file=keys.jwks_file, **limits))


def noted(app: Gateway) -> list[dict[str, Any]]:
    return [GATEWAY_NOTED.about(note).data for note in app.notes.unsettled]


DENIED = [
    ("POST", "/v1/sessions", CREDENTIALS, "open", REFUSED, "sign_in", None, None),
    ("POST", "/v1/sessions/refresh", {"refresh_token": SAID}, "refresh", REFUSED, "refresh_session", None, None),
    ("POST", "/v1/sessions", CREDENTIALS, "open", TOO_MANY, "sign_in", None, None),
    ("POST", "/v1/invitations", {"email": ADDRESS}, "invite", FORBIDDEN, "invite_member", None, MEMBER),
    ("PUT", f"/v1/members/{ID}/roles", {"roles": ["host"]}, "set_roles", FORBIDDEN, "set_member_roles", ID, MEMBER),
    ("GET", "/v1/audit", None, "browse", FORBIDDEN, "list_audit_entries", None, MEMBER),
    ("POST", "/v1/feedback", {"text": SAID}, "submit", TOO_MANY, None, None, MEMBER),
]


@pytest.mark.parametrize(("method", "path", "body", "asked", "refusal", "operation", "subject", "actor"), DENIED)
def test_what_is_denied_is_noted(
    app: Gateway,
    client: FlaskClient,
    services: PlayedServices,
    bearer: dict[str, str],
    method: str,
    path: str,
    body: Any,
    asked: str,
    refusal: errors.Refusal,
    operation: str | None,
    subject: str | None,
    actor: str | None,
) -> None:
    services.answers[asked] = refusal
    environ = {"REMOTE_ADDR": "203.0.113.77"}
    answer = client.open(path, method=method, json=body, headers=bearer, environ_overrides=environ)
    (note,) = noted(app)
    assert note == {
        "operation": operation,
        "method": method if operation else None,
        "path": path.replace(ID, "<id:member_id>") if operation else None,
        "subject_id": subject,
        "actor_id": actor,
        "outcome": "denied",
        "status": answer.status_code,
        "code": refusal.code,
        "network": "203.0.113.0/24",
    }


def test_who_raised_too_many_voices_is_not_noted(
    app: Gateway, client: FlaskClient, services: PlayedServices, bearer: dict[str, str]
) -> None:
    """A reader of the notes could compare them with the named voices, and learn that the others were anonymous."""
    services.answers["submit"] = errors.TooMany(errors.TOO_MANY_VOICES, "Enough for today.", after=9)
    answer = client.post("/v1/feedback", json={"text": SAID}, headers=bearer)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "9")
    (note,) = noted(app)
    assert {name: note[name] for name in ("operation", "code")} == {
        "operation": "raise_voice",
        "code": "too_many_voices",
    }
    assert (note["actor_id"], note["network"]) == (None, None)
    assert MEMBER not in str(note)


FOR_SOME = [
    ("POST", "/v1/invitations", {"email": ADDRESS}, "invite", "invite_member"),
    ("PUT", f"/v1/members/{ID}/roles", {"roles": ["host"]}, "set_roles", "set_member_roles"),
    ("POST", f"/v1/feedback/{ID}/answers", {"text": SAID}, "answer", "answer_voice"),
    ("POST", f"/v1/events/{ID}/publish", None, "publish", "publish_event"),
    ("GET", "/v1/audit", None, "browse", "list_audit_entries"),
    ("HEAD", "/v1/audit", None, "browse", "list_audit_entries"),
]
FAULTS = [
    errors.Unavailable("unavailable", "No answer."),
    errors.Unexpected("unexpected", "A fault."),
    RuntimeError("x"),
]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("method", "path", "body", "asked", "operation"), FOR_SOME)
def test_a_deed_with_an_unknown_outcome_is_noted_as_such(
    app: Gateway,
    client: FlaskClient,
    services: PlayedServices,
    bearer: dict[str, str],
    method: str,
    path: str,
    body: Any,
    asked: str,
    operation: str,
    fault: Exception,
) -> None:
    services.answers[asked] = fault
    status = client.open(path, method=method, json=body, headers=bearer).status_code
    (note,) = noted(app)
    found = {name: note[name] for name in ("operation", "outcome", "actor_id", "subject_id", "status", "code")}
    assert found == {
        "operation": operation,
        "outcome": "unknown",
        "actor_id": MEMBER,
        "subject_id": ID if ID in path else None,
        "status": status,
        "code": "unavailable" if status == 503 else "unexpected",
    }


@pytest.mark.parametrize(("method", "path", "body", "asked", "operation"), FOR_SOME)
def test_a_deed_is_left_to_the_service_which_is_told_the_network(
    app: Gateway,
    client: FlaskClient,
    services: PlayedServices,
    bearer: dict[str, str],
    method: str,
    path: str,
    body: Any,
    asked: str,
    operation: str,
) -> None:
    services.answers[asked] = {"id": ID}
    environ = {"REMOTE_ADDR": "203.0.113.77"}
    assert client.open(path, method=method, json=body, headers=bearer, environ_overrides=environ).status_code < 300
    assert noted(app) == []
    assert services.networks == ["203.0.113.0/24"]


@pytest.mark.parametrize("path", [f"/v1/feedback/{ID}", f"/v1/events/{ID}"])
def test_a_thing_that_is_there_and_hidden_is_denied(
    app: Gateway, client: FlaskClient, services: PlayedServices, bearer: dict[str, str], path: str
) -> None:
    missing, hidden = (family("not_found", "There is nothing.") for family in (errors.NotFound, errors.Hidden))
    answers = []
    for refusal in (missing, hidden):
        services.answers["show"] = refusal
        answer = client.get(path, headers=bearer | {"X-Request-ID": "r"})
        answers.append((answer.status_code, answer.data))
    assert answers[0] == answers[1], "nobody can tell the two apart"
    (note,) = noted(app)
    assert (note["outcome"], note["status"], note["subject_id"]) == ("denied", 404, ID)


EVERYDAY = [
    ("POST", "/v1/feedback", {"text": SAID, "anonymous": True}, "submit", {"id": ID}),
    ("POST", f"/v1/notifications/{ID}/read", None, "read", None),
    ("POST", "/v1/notifications/read", None, "read_all", {"marked": 1}),
    ("PATCH", "/v1/me", {"name": "N"}, "change_me", {"id": ID}),
    ("DELETE", "/v1/sessions/current", None, "close", None),
    ("POST", "/v1/sessions", CREDENTIALS, "open", {"id": ID}),
    ("POST", "/v1/feedback/claims", {"claim_code": SAID}, "outcome", errors.NotFound("not_found", "No.")),
    ("GET", f"/v1/feedback/{ID}", None, "show", {"id": ID}),
    ("GET", f"/v1/feedback/{ID}", None, "show", errors.NotFound("not_found", "No.")),
    ("POST", "/v1/invitations", {"email": "none"}, "invite", None),
    ("POST", "/v1/invitations", {"email": ADDRESS}, "invite", errors.Conflict("already_a_member", "No.")),
    ("OPTIONS", "/v1/audit", None, "browse", None),
]


@pytest.mark.parametrize(("method", "path", "body", "asked", "answer"), EVERYDAY)
def test_what_is_everyday_is_not_noted(
    app: Gateway,
    client: FlaskClient,
    services: PlayedServices,
    bearer: dict[str, str],
    method: str,
    path: str,
    body: Any,
    asked: str,
    answer: Any,
) -> None:
    services.answers[asked] = answer
    client.open(path, method=method, json=body, headers=bearer)
    assert noted(app) == []
    assert services.networks in ([], ["127.0.0.0/24"] if path == "/v1/invitations" else [None])


def test_a_forged_token_is_noted_but_none_that_is_missing_or_old(app: Gateway, client: FlaskClient, sign: Sign) -> None:
    for token in ("", sign(seconds=-5)):
        assert client.get("/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert noted(app) == []
    assert client.get("/v1/me", headers={"Authorization": f"Bearer {sign(aud='other')}"}).status_code == 401
    (note,) = noted(app)
    assert (note["operation"], note["code"], note["actor_id"]) == ("show_me", "token_invalid", None)


def test_a_flood_of_denials_is_noted_in_part_and_hides_nobody_else(
    app: Gateway, client: FlaskClient, services: PlayedServices, bearer: dict[str, str]
) -> None:
    services.answers |= {"open": REFUSED, "invite": FAULTS[0]}
    before = _counted(client, "spared")
    for _ in range(MOST_DENIED + 20):
        client.post("/v1/sessions", json=CREDENTIALS, environ_overrides={"REMOTE_ADDR": "203.0.113.9"})
    # The test may run across the turn of a minute, when the count begins anew.
    flood = len(noted(app))
    assert MOST_DENIED <= flood <= MOST_DENIED + 20
    assert _counted(client, "spared") - before == MOST_DENIED + 20 - flood
    client.post("/v1/sessions", json=CREDENTIALS, environ_overrides={"REMOTE_ADDR": "198.51.100.1"})
    client.post("/v1/invitations", json={"email": ADDRESS}, headers=bearer)
    assert [note["outcome"] for note in noted(app)[flood:]] == ["denied", "unknown"]


def test_so_many_wait_and_no_more(
    app: Gateway, client: FlaskClient, services: PlayedServices, bearer: dict[str, str]
) -> None:
    services.answers["invite"] = FAULTS[0]
    before = _counted(client, "lost")
    for _ in range(MOST_WAITING + 3):
        assert client.post("/v1/invitations", json={"email": ADDRESS}, headers=bearer).status_code == 503
    assert len(app.notes.unsettled) == MOST_WAITING
    assert _counted(client, "lost") - before == 3


@pytest.mark.parametrize(
    ("address", "known"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("", None),
        (None, None),
        ("unix:", None),
    ],
)
def test_an_address_is_never_known_whole(address: str | None, known: str | None) -> None:
    assert network(address) == known


@pytest.fixture
def listener(amqp_uri: str) -> Iterator[Listener]:
    """Listens to the gateway's messages on the private exchange."""
    listening = Listener(amqp_uri, "gateway.*", "private")
    yield listening
    listening.close()


def _forge(door: Door, token: str, request_id: str = "r") -> None:
    headers = {"Authorization": f"Bearer {token}", "X-Request-ID": request_id}
    url = f"{door.url}/v1/members/{ID}?email={ADDRESS}"
    assert requests.get(url, headers=headers, timeout=5).status_code == 401


def test_a_note_is_a_private_message_without_anything_of_the_request(
    door: Door, amqp_uri: str, listener: Listener, sign: Sign
) -> None:
    public = Listener(amqp_uri)
    token = sign(aud="other")
    _forge(door, token, request_id="asked-by-amara")
    (event,) = listener.wait(1)
    (raw,) = listener.raw
    assert raw.properties["delivery_mode"] == 2
    assert (event["type"], event["source"], event["subject"]) == ("gateway.noted", "/hearth/gateway", event["id"])
    assert GATEWAY_NOTED.read(event["data"])["network"] == "127.0.0.0/24"
    assert event["data"]["subject_id"] == ID
    for secret in (token, token.split(".")[2], ADDRESS, "127.0.0.1", "asked-by-amara"):
        assert secret not in str(event) + str(raw.properties)
    assert [each for each in public.drain(0.2) if each["type"] == "gateway.noted"] == []
    public.close()


def test_notes_wait_for_the_bus(door: Door, proxy: Proxy, listener: Listener, sign: Sign) -> None:
    proxy.refusing = True
    proxy.cut()
    door.wait_for("broker lost")
    for _ in range(5):
        _forge(door, sign(aud="other"))
    assert listener.drain(0.3) == []
    proxy.refusing = False
    events = listener.wait(5)
    assert len({event["id"] for event in events}) == 5
    assert [event["id"] for event in events] == sorted(event["id"] for event in events)


def test_what_the_broker_did_not_confirm_is_sent_again(
    door: Door, proxy: Proxy, listener: Listener, sign: Sign
) -> None:
    proxy.frozen = True
    _forge(door, sign(aud="other"))
    time.sleep(0.3)
    proxy.cut()
    proxy.frozen = False
    door.wait_for("broker connected", times=2)
    events = listener.wait(1)
    assert len({event["id"] for event in events}) == 1


class PlayedLink:
    """A link whose writes have to wait: `meanwhile` is what happens then. What is written is in `said`."""

    up = True

    def __init__(self) -> None:
        self.said: list[str] = []
        self.meanwhile: Callable[[], Any] = lambda: None
        self.events: dict[str, set[Any]] = {"basic_ack": set(), "basic_nack": set()}

    def serve(self, user: Any) -> None:
        user.opened(self)

    def channel(self) -> Any:
        return self

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def exchange_declare(self, *_arguments: Any, **_more: Any) -> None:
        pass

    def confirm_select(self) -> None:
        pass

    def basic_publish(self, message: Any, *_address: str) -> None:
        self.said.append(orjson.loads(message.body)["id"])

    def write(self, send: Callable[[], Any], _patience: float) -> None:
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        send()

    def tell(self, what: str, number: int) -> None:
        for hear in self.events[what]:
            hear(number, False)


def test_a_note_that_is_refused_while_the_next_one_waits_is_sent_again(app: Gateway, client: FlaskClient) -> None:
    for _ in range(2):
        assert client.get("/v1/me", headers={"Authorization": "Bearer forged"}).status_code == 401
    first, second = app.notes.unsettled
    link: Any = PlayedLink()
    notes = Notes(link)
    notes.start()
    notes.add(first)
    gevent.sleep(0.01)
    link.meanwhile = lambda: link.tell("basic_nack", 1)
    notes.add(second)
    gevent.sleep(0.01)
    assert link.said == [first["_id"], first["_id"], second["_id"]]
    for number in (2, 3):
        link.tell("basic_ack", number)
    assert notes.unsettled == []


@pytest.mark.parametrize("away", [False, True])
def test_a_gateway_that_stops_has_sent_its_notes_or_says_what_is_lost(
    door: Door, proxy: Proxy, listener: Listener, sign: Sign, away: bool
) -> None:
    if away:
        proxy.refusing = True
        proxy.cut()
        door.wait_for("broker lost")
    for _ in range(20):
        _forge(door, sign(aud="other"))
    door.process.terminate()
    assert door.process.wait(15) == 0
    assert door.log.count("audit note lost") == (20 if away else 0)
    assert len(listener.drain(0.3) if away else listener.wait(20)) == (0 if away else 20)


def test_a_note_that_cannot_be_told_stops_no_other(door: Door, listener: Listener, sign: Sign) -> None:
    stranger = {"Authorization": f"Bearer {sign('no-id-of-ours')}"}
    url = f"{door.url}/v1/notifications/stream"
    # The sixth is one too many: a refusal to a caller whose id is no valid id.
    streams = [requests.get(url, headers=stranger, timeout=5, stream=True) for _ in range(6)]
    door.wait_for("audit note lost")
    assert [stream.close() for stream in streams if stream.status_code == 429] == [None]
    _forge(door, sign(aud="other"))
    (event,) = listener.wait(1)
    assert event["data"]["code"] == "token_invalid"


def _counted(client: FlaskClient, outcome: str) -> float:
    for line in client.get("/metrics").text.splitlines():
        if line.startswith(f'hearth_gateway_notes_total{{outcome="{outcome}"}}'):
            return float(line.split()[1])
    return 0.0


def test_a_path_that_is_no_identifier_is_not_noted(keys: Any) -> None:
    app = create(Config(amqp_uri="amqp://unused", jwks_file=keys.jwks_file, rate_limit_anonymous=1))
    answers = [app.test_client().get(f"/docs/{'x' * 1_000}").status_code for _ in range(2)]
    assert answers == [404, 429]
    (note,) = noted(app)
    assert (note["operation"], note["subject_id"], note["status"]) == ("docs_part", None, 429)
