"""No secret of a member is in a log, also when something goes wrong."""

import secrets
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pymongo
import pytest
import requests

from tests.rig.processes import ROOT, Member, Platform, Processes, free_port, until
from tests.rig.proxy import Proxy

GATEWAY = ("-m", "gunicorn", "-c", "gateway/gunicorn.conf.py", "gateway.app:create()")


class Hub(Platform):
    """A platform whose ways to broker and store can be cut."""

    def __init__(self, processes: Processes) -> None:
        super().__init__(processes)
        self.bus: Proxy
        self.store: Proxy

    @property
    def logs(self) -> dict[str, str]:
        return {name: self.processes.log(name) for name in (*self.SERVICES, "gateway")}

    def rows(self, service: str, name: str) -> Any:
        client = pymongo.MongoClient[dict[str, Any]](self.processes.environment["MONGO_URI"])
        return client[f"{self.processes.environment['MONGO_DATABASE_PREFIX']}{service}"][name]

    @contextmanager
    def without(self, way: Proxy) -> Iterator[None]:
        way.refusing = True
        way.cut()
        try:
            yield
        finally:
            way.refusing = False


@pytest.fixture(scope="module")
def hub(
    environment: dict[str, str], amqp_uri: str, mongo_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Hub]:
    with ExitStack() as stack:
        bus, store = stack.enter_context(Proxy(amqp_uri)), stack.enter_context(Proxy(mongo_uri))
        ways = environment | {"AMQP_URI": bus.uri, "MONGO_URI": store.uri}
        running = stack.enter_context(Hub.running(ways, tmp_path_factory.mktemp("hub")))
        running.bus, running.store = bus, store
        yield running


@pytest.fixture(scope="module")
def kept(hub: Hub) -> dict[str, str]:
    """The secrets of a member, by kind. Each text occurs nowhere else."""
    email, password = f"mail{secrets.token_hex(6)}@hub.example", f"pass-{secrets.token_hex(12)}"
    code = hub.administrator.post("/v1/invitations", {"email": email})["code"]
    person = {"code": code, "name": "Amara", "password": password}
    assert requests.post(f"{hub.url}/v1/members", json=person, timeout=10).status_code == 201
    signed_in = requests.post(f"{hub.url}/v1/sessions", json={"email": email, "password": password}, timeout=10).json()
    member = Member(hub.url, {}, signed_in)
    key, words = f"key-{secrets.token_hex(8)}", f"words-{secrets.token_hex(8)}"
    voice = member.post("/v1/feedback", {"text": words, "anonymous": True}, headers={"Idempotency-Key": key})
    issued = {"access_token": signed_in["access_token"], "refresh_token": signed_in["refresh_token"], "code": code}
    issued |= {"claim_code": voice["claim_code"], "Idempotency-Key": key}
    return issued | {"email": email, "password": password, "words": words}


def betrayed(logs: dict[str, str], kept: dict[str, str]) -> list[tuple[str, str]]:
    """The secrets that are found, each with its log. The first 40 characters count, as a library may cut a text."""
    return [(name, log) for name, said in kept.items() for log, text in logs.items() if said[:40] in text]


def unreadable(said: str) -> list[bytes]:
    """Requests that can't be read, with these words wherever there may be some."""
    get, post = "GET /v1/me HTTP/1.1\r\nHost: h\r\n", "POST /v1/sessions HTTP/1.1\r\nHost: h\r\n"
    body = f"{post}Content-Type: application/json\r\n"
    chunked = f"{body}Transfer-Encoding: chunked\r\n\r\n"
    whole = f'{{"email": "{said}", "password": "{said}", "{said}": "{said}"'
    found = [
        f"{get}Authorization Bearer {said}\r\n\r\n",
        f"{get}Authorization Bearer {said}: x\r\n\r\n",
        f"{get}Authorization: Bearer {said}\0\r\n\r\n",
        f"{get}X-A: b\r\n {said}\r\n\r\n",
        f"{get}X_{said}: b\r\n\r\n",
        f"{get}X-A: {said}{'x' * 9_000}\r\n\r\n",
        f"{get}Authorization: Bearer {said}\n\n",
        f"{get}Expect: {said}\r\n\r\n",
        f"{get}Transfer-Encoding: {said}\r\n\r\n",
        f"{get}Content-Length: {said}\r\n\r\n",
        f"GET /v1/me?access_token={said}\r\n\r\n",
        f"GET /v1/me?access_token={said} HTTP/9.9\r\n\r\n",
        f"get /v1/me?access_token={said} HTTP/1.1\r\n\r\n",
        f"GET /v1/me?access_token={said} {said} HTTP/1.1\r\n\r\n",
        f"GET /v1/me?access_token={said}{'x' * 9_000} HTTP/1.1\r\n\r\n",
        f"{said}\r\n\r\n",
        f"{chunked}{said}\r\n",
        f"{chunked}5;{said}\0\r\n",
        f"{chunked}1\r\n{said}\r\n0\r\n\r\n",
        f"{chunked}0\r\nAuthorization: {said}\r\n\r\n",
        f"{body}Content-Length: {len(whole) + 9}\r\n\r\n{whole}",
        f"{body}Content-Length: {len(whole)}\r\n\r\n{whole}",
        f"{body}Content-Length: {len(whole) + 1}\r\n\r\n{whole}}}",
        f"{post}Content-Type: text/{said}\r\nContent-Length: {len(whole)}\r\n\r\n{whole}",
        f"{get}Cookie: {said}\r\nIf-Match: {said}\r\ntraceparent: {said}\r\nAccept: {said}\r\n\r\n",
        f"GET /v1/members?tag={said}&{said}={said} HTTP/1.1\r\nHost: {said}\r\n\r\n",
        f"GET /{said}/../{said} HTTP/1.1\r\nHost: h\r\n\r\n",
        f"POST /v1/feedback HTTP/1.1\r\nHost: h\r\nIdempotency-Key: {said} {said}\r\nContent-Length: 0\r\n\r\n",
    ]
    return [each.encode("latin-1") for each in found]


def answer(port: int, sent: bytes) -> int:
    """The status of the answer to octets after which nothing more comes."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as made, suppress(ConnectionError):
        made.sendall(sent)
        made.shutdown(socket.SHUT_WR)
        while part := made.recv(65_536):
            received += part
    return int(received.split(b" ")[1]) if received else 0


def test_of_what_cannot_be_read(hub: Hub, kept: dict[str, str]) -> None:
    statuses = {answer(hub.port, sent) for said in kept.values() for sent in unreadable(said)}
    assert statuses >= {400, 401, 414, 415, 417, 422, 431, 501}
    assert 500 not in statuses
    assert not betrayed(hub.logs, kept)


def test_of_what_fails_in_a_service(hub: Hub, kept: dict[str, str]) -> None:
    """A row is malformed. The code that reads it raises an error that names the value."""
    bearer = {"Authorization": f"Bearer {kept['access_token']}"}
    accounts = hub.rows("members", "accounts")
    accounts.update_one({"email": kept["email"]}, {"$set": {"version": kept["words"]}})
    assert requests.get(f"{hub.url}/v1/me", headers=bearer, timeout=10).status_code == 500
    accounts.update_one({"email": kept["email"]}, {"$set": {"version": 1}})
    assert "ValueError" in hub.processes.log("members"), "what kind of error it was is told"
    assert "services/members/accounts/service.py" in hub.processes.log("members"), "and where"
    assert not betrayed(hub.logs, kept)


def test_of_what_is_away(hub: Hub, kept: dict[str, str]) -> None:
    bearer = {"Authorization": f"Bearer {kept['access_token']}"}
    sign_in = {"email": kept["email"], "password": kept["password"]}

    def ask() -> set[int]:
        headers = bearer | {"Idempotency-Key": kept["Idempotency-Key"] + uuid.uuid4().hex}
        voice = requests.post(f"{hub.url}/v1/feedback", json={"text": kept["words"]}, headers=headers, timeout=15)
        tokens = requests.post(f"{hub.url}/v1/sessions", json=sign_in, timeout=15)
        claim = {"claim_code": kept["claim_code"]}
        outcome = requests.post(f"{hub.url}/v1/feedback/claims", json=claim, timeout=15)
        return {voice.status_code, tokens.status_code, outcome.status_code}

    for way in (hub.store, hub.bus):
        with hub.without(way):
            assert ask() == {503}
        until(lambda: 503 not in ask(), 40)
    assert "broker lost" in hub.processes.log("gateway")
    assert "bus lost" in hub.processes.log("feedback")
    assert not betrayed(hub.logs, kept)


@pytest.mark.parametrize(
    ("variable", "address", "says"),
    [
        ("AMQP_URI", "amqp://hearth:{}@127.0.0.1:1/", ("bus lost", "broker lost")),
        ("AMQP_URI", "amqp://hearth:{}@{broker}/", ("bus lost", "broker lost")),
        ("AMQP_URI", "amqp://hearth:{}/x@127.0.0.1:1/", ("AMQP_URI: Must be",)),
        ("AMQP_URI", "amqp://127.0.0.1:{}/", ("AMQP_URI: Must be",)),
        ("AMQP_URI", "hearth:{}", ("AMQP_URI: Must be",)),
        ("MONGO_URI", "mongodb://hearth:{}@127.0.0.1:1/", ("store not there yet",)),
        ("MONGO_URI", "mongodb://hearth:{}:{}@127.0.0.1:1/", ("died",)),
        ("MONGO_URI", "mongodb://hearth:{}/x@127.0.0.1:1/", ("MONGO_URI: Must be",)),
        ("TOKEN_JWKS_FILE", "/{}", ("died",)),
    ],
)
def test_of_settings(processes: Processes, amqp_uri: str, variable: str, address: str, says: tuple[str, ...]) -> None:
    secret = f"secret{secrets.token_hex(8)}"
    broker = amqp_uri.rpartition("@")[2].rstrip("/")
    given = {variable: address.replace("{broker}", broker).replace("{}", secret)}
    processes.start("feedback", "-m", "services.feedback", **given)
    started = ["feedback"]
    if variable != "MONGO_URI":
        processes.start("gateway", *GATEWAY, PORT=str(free_port()), **given)
        started.append("gateway")
    for name in started:
        until(lambda name=name: [words for words in says if words in processes.log(name)], 30)  # type: ignore[misc]
        assert secret not in processes.log(name)


@pytest.mark.parametrize(
    "where",
    [
        "{}",
        "from threading import Thread; t = Thread(target=lambda: {}); t.start(); t.join()",
        "from services.chassis import runner; runner._tell_uncaught(); "
        "pool = runner.eventlet.GreenPool(); pool.spawn_n(lambda: {}); pool.waitall()",
    ],
)
def test_of_what_nobody_catches(where: str) -> None:
    secret = secrets.token_hex(8)
    program = f"from services.ground import logs; logs.configure('x'); {where.format(f'int({secret!r})')}"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    assert '"event":"uncaught"' in done.stdout
    assert "ValueError" in done.stdout
    assert secret not in done.stdout + done.stderr
