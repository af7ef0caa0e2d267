"""The traces of an anonymous voice, sent with an Idempotency-Key among voices with a name.

All that the platform keeps or says is looked at: each document of each database, each message with its properties, each
line of each log, each page of metrics, and a backup. Nothing tells who it was, when it was but for the day, or how long
their answer is. One moment is told on purpose: that of the lines in which the administrators read it.
"""

import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import bson
import jwt
import pymongo
import pytest
import requests
from bson.codec_options import CodecOptions

from services.chassis.answers import Answers
from services.chassis.tallies import WRITTEN_EVERY
from services.contracts.shapes.feedback import VoiceDraft
from services.ground.identifiers import moment
from tests.deploy.test_seeing import Watched
from tests.hub.operator import Operator
from tests.journeys.test_backup import backed_up
from tests.rig.processes import Member, until
from tests.rig.wire import Listener

NEAR = timedelta(seconds=1)
APART = 2 * NEAR.total_seconds() + 0.5  # seconds
GUESSED = "1"  # a key as it should not be
SHORT, LONG = "a", "🏠" * 4000
# What is written when an anonymous voice is raised.
LEAVES = {
    *("feedback/answers", "feedback/tallies", "feedback/voices"),
    *("notifications/hours", "notifications/inbox", "notifications/told"),
}
AWARE: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
# Ten digits within a hash are no moment.
NUMBER = re.compile(r"\d\.\d+e\+0?\d+|(?<![0-9a-zA-Z])\d{10,19}(?:\.\d+)?(?![0-9a-zA-Z])")
UNITS = (1, 10**3, 10**6, 10**9)  # a second has so many

Documents = dict[tuple[str, Any], dict[str, Any]]


def moments(value: Any) -> Iterator[datetime]:
    """Each moment that a value tells: as a date, in an id, in a text, or as a number of seconds or parts of them."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from moments(name)
            yield from moments(each)
    elif isinstance(value, list | tuple | set):
        for each in value:
            yield from moments(each)
    elif isinstance(value, datetime):
        yield value.astimezone(UTC)
    elif isinstance(value, bson.ObjectId):
        yield value.generation_time
    elif isinstance(value, int | float):
        yield from _of_number(float(value))
    elif isinstance(value, str):
        yield from (moment(each) for each in ID.findall(value))
        yield from (datetime.fromisoformat(each).astimezone(UTC) for each in ISO.findall(value))
        for each in NUMBER.findall(value):
            yield from _of_number(float(each))


def _of_number(number: float) -> Iterator[datetime]:
    for unit in UNITS:
        if 1.6e9 < number / unit < 2.6e9:
            yield datetime.fromtimestamp(number / unit, UTC)


def finer_than_a_day(value: Any) -> set[datetime]:
    """The moments in a value that tell more than the day."""
    return {each for each in moments(value) if each.time().isoformat() != "00:00:00"}


@dataclass
class Act:
    """An anonymous voice, and all that can be seen of it from outside."""

    author: Member
    key: str
    body: dict[str, Any]
    request_id: str
    answered: dict[str, Any]
    began: datetime
    ended: datetime
    left: Documents  # documents that are new or changed since before

    def near(self, value: Any) -> set[datetime]:
        """The moments in a value that lie around this."""
        told = finer_than_a_day(value)
        return {each for each in told if self.began - NEAR <= each <= self.ended + NEAR}

    @property
    def leading(self) -> set[str]:
        """Words that lead to the author or to their request."""
        who = {self.author.id, self.author.profile["email"], self.author.tokens["access_token"]}
        seal = jwt.decode(self.author.tokens["access_token"], options={"verify_signature": False})["seal"]
        session = self.author.tokens["refresh_token"].partition(".")[0]
        return who | {seal, session, self.request_id, self.answered["claim_code"]}


class Hub:
    """A hub in which something is said, and what can be seen of it."""

    def __init__(self, platform: Watched, amqp_uri: str) -> None:
        self.platform, self.environment = platform, platform.processes.environment
        self.client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(self.environment["MONGO_URI"])
        self.community = Listener(amqp_uri)
        self.private = Listener(amqp_uri, exchange="private")

    def database(self, service: str) -> Any:
        return self.client.get_database(self.environment["MONGO_DATABASE_PREFIX"] + service, codec_options=AWARE)

    def documents(self) -> Documents:
        """All documents of all databases, after all messages are sent and told and all tallies are written."""
        until(lambda: not self._unsent())
        time.sleep(WRITTEN_EVERY + 0.5)
        return {
            (f"{service}/{name}", each["_id"]): each
            for service in Watched.SERVICES
            for name in self.database(service).list_collection_names()
            for each in self.database(service)[name].find()
        }

    def _unsent(self) -> int:
        return int(self.database("feedback").voices.count_documents({"outbox": {"$exists": True}}))

    def say(self, author: Member, text: str, key: str, *, anonymous: bool) -> Act:
        """A voice, told to the administrator."""
        before, told = self.documents(), self._told()
        request_id, body, began = secrets.token_hex(8), {"text": text, "anonymous": anonymous}, datetime.now(UTC)
        headers = {"Idempotency-Key": key, "X-Request-ID": request_id}
        answered, ended = author.post("/v1/feedback", body, headers=headers), datetime.now(UTC)
        until(lambda: self._told() == told + 1)
        left = {name: each for name, each in self.documents().items() if before.get(name) != each}
        return Act(author, key, body, request_id, answered, began, ended, left)

    def _told(self) -> int:
        return int(self.database("notifications").inbox.count_documents({"kind": "feedback.submitted"}))


@dataclass
class Seen:
    hub: Hub
    named: list[Act]
    unlinked: list[Act]
    backup: Path

    @property
    def line_of(self) -> dict[str, str]:
        """The path of each anonymous voice, which its line in the inbox names."""
        return {act.answered["id"]: f"/v1/feedback/{act.answered['id']}" for act in self.unlinked}


@pytest.fixture(scope="module")
def seen(environment: dict[str, str], amqp_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    with Watched.running(environment | {"LOG_FORMAT": "json"}, tmp_path_factory.mktemp("anonymous")) as platform:
        people = [platform.join(name) for name in ("Amara", "Omar", "Olga")]
        hub = Hub(platform, amqp_uri)
        time.sleep(APART)  # so that no member's joining is near
        named, unlinked = [], []
        for text, key in ((SHORT, GUESSED), (LONG, str(UUID(int=secrets.randbits(128))))):
            named.append(hub.say(people[1], "Before it.", secrets.token_hex(8), anonymous=False))
            time.sleep(APART)
            unlinked.append(hub.say(people[0], text, key, anonymous=True))
            time.sleep(APART)
            named.append(hub.say(people[2], "After it.", secrets.token_hex(8), anonymous=False))
        folder = tmp_path_factory.mktemp("seen") / "backup"
        where = {"HOST": "127.0.0.1", "PORT": str(platform.port)}
        Operator(platform.processes.environment | where).hub("backup", str(folder))
        yield Seen(hub, named, unlinked, folder)
        for listener in (hub.community, hub.private):
            listener.close()
        hub.client.close()


def test_what_is_looked_for_would_be_found(seen: Seen) -> None:
    """A voice with a name shows its moment and its author in all of these ways."""
    act = seen.named[0]
    (voice,) = [each for (place, _), each in act.left.items() if place == "feedback/voices"]
    assert act.author.id in str(voice)
    assert act.near(voice["raised_at"])
    assert act.near(voice["_id"])
    assert act.near(f"at {act.ended.isoformat()}")
    assert act.near({"ms": int(act.ended.timestamp() * 1000)})
    assert act.near(f"x_created {act.ended.timestamp()!r}")
    assert act.near(bson.ObjectId.from_datetime(act.ended))


def test_no_document_tells_when_it_was_but_the_lines_that_tell_of_it(seen: Seen) -> None:
    for act in seen.unlinked:
        assert {place for place, _ in act.left} == LEAVES
        for (place, _), document in act.left.items():
            told = {name: value for name, value in document.items() if name != "at"}
            if place == "notifications/inbox":
                assert document["link"] == seen.line_of[act.answered["id"]]
                assert act.near(document["at"]), "the moment of its delivery, on purpose"
                assert not act.near(told)
            elif place == "notifications/hours":
                assert {(each.minute, each.second, each.microsecond) for each in moments(document)} == {(0, 0, 0)}
                assert act.answered["id"] not in str(document), "it counts all voices of an hour, and knows none"
            else:
                assert not act.near(document), place
                assert not finer_than_a_day(document | {"ids": None}), "but when the administrator joined"


def test_no_document_leads_to_the_author(seen: Seen) -> None:
    for act in seen.unlinked:
        for place, document in act.left.items():
            assert not [word for word in act.leading if word in str(document)], place


def test_no_document_tells_how_long_an_answer_is(seen: Seen) -> None:
    short, long = (
        {len(bson.encode(each)) for (place, _), each in act.left.items() if place == "feedback/answers"}
        for act in seen.unlinked
    )
    assert len(seen.unlinked[0].body["text"]) < len(seen.unlinked[1].body["text"])
    assert short == long


def test_an_answer_is_given_again_to_its_author_and_opened_by_nobody_who_guesses(seen: Seen) -> None:
    act, answers = seen.unlinked[0], Answers(seen.hub.database("feedback"), "feedback")
    for author in (act.author, seen.hub.platform.sign_in(act.author.profile["email"])):
        assert author.post("/v1/feedback", act.body, headers={"Idempotency-Key": act.key}) == act.answered
    asked = {"draft": VoiceDraft().load(act.body), "if": None}
    for who in (act.author.id, act.author.profile["email"], act.author.tokens["refresh_token"].partition(".")[0]):
        guess = answers.claim(who, GUESSED, "feedback.voices.submit", asked)
        assert not isinstance(guess, bytes)
        answers.forget(guess)


def test_no_message_tells_more(seen: Seen) -> None:
    community, private = seen.hub.community, seen.hub.private
    community.wait(3 * len([*seen.named, *seen.unlinked]))
    private.drain(0.5)
    for act in seen.unlinked:
        told = {}
        for event, message in zip(community.heard, community.raw, strict=True):
            assert not [word for word in act.leading if word in str((event, message.properties))]
            if act.answered["id"] in str(event):
                told[event["type"]] = event
                assert set(message.properties) <= {"content_type", "delivery_mode"}
        assert set(told) == {"feedback.submitted", "notifications.delivered", "notifications.delivered.v2"}
        assert not finer_than_a_day(told["feedback.submitted"])
        for line in (told["notifications.delivered"], told["notifications.delivered.v2"]):
            assert act.near(line["time"]), "the moment of its delivery, on purpose"
            assert not act.near(line | {"time": None, "data": line["data"] | {"at": None}})
        assert not [word for word in {*act.leading, act.answered["id"]} if word in str(private.heard)]


def test_no_log_leads_from_it_to_the_author_or_the_request(seen: Seen) -> None:
    for act in seen.unlinked:
        voice = act.answered["id"]
        submitted = next(
            each
            for each in seen.hub.community.heard
            if each["type"] == "feedback.submitted" and each["subject"] == voice
        )
        names = {voice, submitted["id"], submitted["correlationid"]}
        for process in (*Watched.SERVICES, "gateway"):
            log = seen.hub.platform.processes.log(process)
            for word in (act.leading - {act.request_id}) | {act.key} - {GUESSED}:
                assert word not in log, process
            for line in log.splitlines():
                both = act.request_id in line and any(name in line for name in names)
                assert not both, line
        assert act.request_id in seen.hub.platform.processes.log("gateway"), "so that this test can fail"


def test_no_page_of_metrics_tells_when_or_who(seen: Seen) -> None:
    platform = seen.hub.platform
    ports = {name: f"http://127.0.0.1:{port}" for name, port in platform.ports.items()} | {"gateway": platform.url}
    for name, url in ports.items():
        page = requests.get(f"{url}/metrics", timeout=5).text
        for act in [*seen.unlinked, *seen.named]:
            assert not act.near(page), name
            assert not [word for word in act.leading if word and word in page], name


def test_no_backup_tells_more_than_the_store_and_nothing_of_answers(seen: Seen) -> None:
    parts = backed_up(seen.backup)
    assert "feedback/voices" in parts
    assert not [name for name in parts if name.endswith("/answers")]
    raw = {path.name: path.read_bytes() for path in seen.backup.rglob("*") if path.is_file()}
    assert "backup.json" in raw
    ids = list(parts["feedback/voices"])
    assert ids == sorted(ids), "not in the order in which they came"
    for act in seen.unlinked:
        for name, documents in parts.items():
            for document in documents.values():
                line_of_it = document.get("link") == seen.line_of[act.answered["id"]]
                told = {key: value for key, value in document.items() if not (line_of_it and key == "at")}
                assert not act.near(told), name


def test_no_list_tells_between_which_others_it_came(seen: Seen) -> None:
    voices = seen.hub.platform.administrator.get("/v1/feedback?limit=100")["items"]
    ids = [act.answered["id"] for act in seen.unlinked]
    places = [place for place, each in enumerate(voices) if each["id"] in ids]
    same_day = [
        each
        for each in voices
        if not each["anonymous"] and each["raised_at"][:10] >= voices[places[0]]["raised_at"][:10]
    ]
    assert min(places) >= len(same_day), "behind all others of its day"
