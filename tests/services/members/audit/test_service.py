"""The audit log on the bus."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import amqp
import orjson
import pymongo
import pytest

from services.contracts.catalogue import CONTENT_TYPE, PRIVATE, envelope
from services.contracts.errors import Forbidden, Invalid
from services.contracts.messages.gateway import GATEWAY_NOTED
from services.contracts.shapes.audit import AuditEntry
from services.ground import clock, identifiers
from services.members.accounts import domain as accounts
from services.members.accounts.store import AccountStore
from tests.rig.processes import Processes
from tests.rig.wire import Caller, connection
from tests.services.members.tokens import Sign, signer

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
ROOT, OTHER = (identifiers.new_id(NOW) for _ in range(2))
FACTS = GATEWAY_NOTED.read(GATEWAY_NOTED.example)


@pytest.fixture(scope="module")
def members(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """The audit capability alone, with an administrator and a host."""
    running = Processes(environment, tmp_path_factory.mktemp("audit"))
    running.start("members", "-m", "services.members", "audit")
    running.until("members", "serving")
    with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"]) as client:
        store = AccountStore(client[environment["MONGO_DATABASE_PREFIX"] + "members"], "members")
        for id, roles in ((ROOT, ["administrator"]), (OTHER, ["host"])):
            person = {"name": "N", "email": f"{id}@hub.example"}
            store.add(accounts.found(person, "hash", id=id, now=NOW) | {"roles": roles})
    yield running
    running.stop()


@pytest.fixture(scope="module")
def sign(environment: dict[str, str]) -> Sign:
    """Makes access tokens that these processes trust."""
    return signer(environment)


@pytest.fixture
def note(amqp_uri: str) -> Iterator[Callable[..., str]]:
    """Publishes a note as the gateway does."""
    channel: amqp.Channel = connection(amqp_uri).channel()

    def publish(times: int = 1, **facts: Any) -> str:
        now = clock.now()
        id = identifiers.new_id(now)
        announced = GATEWAY_NOTED.about(FACTS | facts | {"_id": id, "changed_at": now})
        event = envelope(announced, id=id, sequence=1, correlation_id=id, causation_id=None)
        message = amqp.Message(orjson.dumps(event), content_type=CONTENT_TYPE, delivery_mode=2)
        for _ in range(times):
            channel.basic_publish(message, PRIVATE, GATEWAY_NOTED.key)
        return id

    yield publish
    channel.connection.close()


def _browse(caller: Caller, token: str, count: int, **query: Any) -> dict[str, Any]:
    """A page, once so many are in it."""
    until = time.monotonic() + 15
    while True:
        page: dict[str, Any] = caller.call("members.audit.browse", token, query=query)
        if len(page["items"]) == count:
            return page
        assert time.monotonic() < until, page
        time.sleep(0.05)


def test_what_the_gateway_noted_is_read_by_administrators(
    members: Processes, caller: Caller, sign: Sign, note: Callable[..., str]
) -> None:
    actor = identifiers.new_id(NOW)
    ids = [note(times=2, actor_id=actor, status=403 + number) for number in range(3)]
    token = sign(ROOT, ["administrator"])
    page = _browse(caller, token, 3, actor_id=actor)
    assert sorted(each["id"] for each in page["items"]) == sorted(ids)
    assert page["items"] == sorted(page["items"], key=lambda each: each["id"], reverse=True)
    first = caller.call("members.audit.browse", token, query={"actor_id": actor, "limit": 2})
    rest = caller.call("members.audit.browse", token, query={"actor_id": actor, "cursor": first["next"]})
    assert first["items"] + rest["items"] == page["items"]
    assert AuditEntry().load(page["items"][0])["path"] == FACTS["path"]


def test_a_role_of_the_moment_is_needed(members: Processes, caller: Caller, sign: Sign) -> None:
    with pytest.raises(Forbidden):
        caller.call("members.audit.browse", sign(OTHER, ["administrator"]), query={})
    assert "items" in caller.call("members.audit.browse", sign(ROOT, ["coworker"]), query={})
    read = caller.call("members.audit.browse", sign(ROOT, []), query={"actor_id": ROOT})["items"]
    assert {each["operation"] for each in read} == {"list_audit_entries"}, "to read it is noted by itself"


@pytest.mark.parametrize("query", [{"outcome": "both"}, {"actor_id": {"$gt": ""}}, {"cursor": "x"}, {"surprise": 1}])
def test_a_query_is_checked(members: Processes, caller: Caller, sign: Sign, query: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        caller.call("members.audit.browse", sign(ROOT, []), query=query)


def test_notes_wait_for_a_service_that_is_stopped(
    members: Processes, caller: Caller, sign: Sign, note: Callable[..., str]
) -> None:
    actor = identifiers.new_id(NOW)
    members.kill("members")
    ids = [note(actor_id=actor) for _ in range(5)]
    members.start("again", "-m", "services.members", "audit")
    members.until("again", "serving")
    found = _browse(caller, sign(ROOT, []), 5, actor_id=actor)["items"]
    assert sorted(each["id"] for each in found) == sorted(ids)


def test_an_entry_comes_with_the_present_names_of_its_members(
    members: Processes, caller: Caller, sign: Sign, note: Callable[..., str]
) -> None:
    ids = [note(actor_id=OTHER, subject_id=subject) for subject in (ROOT, identifiers.new_id(NOW))]
    found = _browse(caller, sign(ROOT, []), 2, actor_id=OTHER)["items"]
    assert {each["id"]: (each["actor_name"], each["subject_name"]) for each in found} == {
        ids[0]: ("N", "N"),
        ids[1]: ("N", None),
    }
