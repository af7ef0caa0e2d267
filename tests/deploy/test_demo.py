"""The demo's people, and its story on a platform of its own."""

import os
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import amqp
import orjson
import pytest

from deploy.demo import joining, people, story
from deploy.demo.bus import Subscriber
from deploy.demo.hub import Visitor
from deploy.local.platform import ROOT
from services.contracts.shapes.members import InvitationDraft, Registration
from tests.rig.processes import Platform, Processes
from tests.rig.wire import connection

CAST = people.read()


def test_sixty_people_of_all_roles() -> None:
    assert len({person.name for person in CAST}) == len({person.email for person in CAST}) == 60
    roles = Counter(role for person in CAST for role in person.roles)
    assert (roles["mentor"], roles["trainer"], roles["administrator"], roles["host"]) == (5, 4, 3, 2)
    assert CAST[0].roles == ["administrator"]  # all that the command line gives


def test_the_doors_would_take_them() -> None:
    for person in CAST:
        InvitationDraft().load({"email": person.email, "roles": person.roles})
        Registration().load({"code": "c", "name": person.name, "password": "a" * 12, **person.profile})


def test_who_was_told_is_said_even_when_somebody_lacks(amqp_uri: str) -> None:
    sender = connection(amqp_uri)
    sender.channel().exchange_declare("community", "topic", durable=True, auto_delete=False)
    bus = Subscriber(amqp_uri)
    data = {"kind": "events.published", "link": "/v1/events/1", "member_ids": ["a", "b"]}
    for link in ("/v1/events/2", "/v1/events/1"):
        event = {"type": "notifications.delivered.v2", "data": data | {"link": link}}
        sender.channel().basic_publish(amqp.Message(orjson.dumps(event)), "community", event["type"])
    told, at = bus.told("events.published", "/v1/events/1", {"a", "b", "c"}, within=0.5)
    assert (told, at) == ({"a", "b"}, bus.heard[1].at)
    bus.close()
    sender.close()


@pytest.fixture
def hub(environment: dict[str, str], tmp_path: Path) -> Iterator[Platform]:
    """A platform with an empty store."""
    started = Processes(environment | {"MONGO_DATABASE_PREFIX": f"demo_{uuid.uuid4().hex[:8]}_"}, tmp_path)
    platform = Platform(started)
    platform.start()
    yield platform
    started.stop()


def differing(hub: Platform, base: Path) -> set[str]:
    """The fields in which two members' newest lines differ."""
    lines = []
    for name in (story.READER, story.ANOTHER):
        (address,) = (person.email for person in CAST if person.name == name)
        member = Visitor(hub.url).sign_in(address, joining.password(base))
        lines.append(member.get("/v1/notifications", limit=1)["items"][0])
    return {name for name in lines[0] if lines[0][name] != lines[1][name]}


def test_the_story_again_and_again(hub: Platform, tmp_path: Path) -> None:
    def demo(base: Path) -> tuple[int, str]:
        told = subprocess.run(
            [sys.executable, "-m", "deploy.demo", "--base", base],
            cwd=ROOT,
            env=os.environ | hub.processes.environment | {"HOST": "127.0.0.1", "PORT": str(hub.port)},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        return told.returncode, told.stdout + told.stderr

    base = tmp_path / "base"
    code, words = demo(base)
    assert code == 0, words
    assert "60/60" not in words, "the first administrator comes from the command line"
    assert all(part in words for part in ("59/59", "61 members", "no. 1", "notifications.delivered", "message 1 "))
    assert differing(hub, base) == set(story.SENTENCE), "one line for both, but for its words and times"
    assert "New: Repair café no. 1" in words
    assert "Neu: Repair café no. 1" in words
    assert ", 18:00, The workshop" in words or ", 17:00, The workshop" in words, "where the hub's clocks count"
    assert "UTC−4," in words or "UTC−5," in words
    assert max(len(line) for line in words.splitlines()) <= 100
    assert (base / "demo.json").stat().st_mode & 0o777 == 0o600

    code, words = demo(base)
    assert code == 0, words
    assert "join" not in words
    assert "no. 2" in words

    code, words = demo(tmp_path / "another")
    assert (code, "belongs to this hub already" in words) == (1, True)
