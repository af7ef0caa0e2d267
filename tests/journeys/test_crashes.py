"""A request that was answered with 2xx is not lost, whatever process dies next."""

import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
import pymongo
import pytest

from services.contracts.messages.notifications import NOTIFICATIONS_DELIVERED
from services.ground import clock, identifiers
from services.notifications.people.domain import person
from services.notifications.people.store import PeopleStore
from tests.rig.processes import Platform, Processes, forget_messages
from tests.rig.wire import Listener, connection, publish, submitted


@pytest.fixture
def own(environment: dict[str, str], tmp_path: Path) -> Any:
    """A platform that may be broken, in databases of its own."""
    with Platform.running(environment, tmp_path) as running:
        yield running


def test_each_administrator_has_each_voice_once_although_notifications_is_killed(own: Platform) -> None:
    """200 voices are posted by 8 clients while the process is killed in the middle and started again."""
    second = own.join("Second", ("administrator",))
    authors = [own.join(f"Author {number}") for number in range(8)]
    first_half = threading.Barrier(9)

    def speak(number: int) -> list[str]:
        posted = []
        for count in range(25):
            if count == 10:
                first_half.wait(60)
            posted.append(authors[number].post("/v1/feedback", {"text": f"voice {number}.{count}"})["id"])
        return posted

    with ThreadPoolExecutor(8) as pool:
        running = [pool.submit(speak, number) for number in range(8)]
        first_half.wait(60)
        own.processes.kill("notifications")
        posted = {id for each in running for id in each.result(60)}
    assert len(posted) == 200
    own.serve("notifications")
    for administrator in (own.administrator, second):
        told = [each["link"].rpartition("/")[2] for each in administrator.inbox(200, seconds=60)]
        assert len(told) == len(set(told)) == 200
        assert set(told) == posted


def test_a_voice_survives_the_death_of_feedback_right_after_its_answer(own: Platform) -> None:
    author = own.join("Amara")
    posted = []
    for _ in range(3):
        posted.append(author.post("/v1/feedback", {"text": "remember this"})["id"])
        own.restart("feedback")
    told = own.administrator.inbox(3, seconds=30)
    assert {each["link"].rpartition("/")[2] for each in told} == set(posted)
    assert json.dumps(author.get("/v1/feedback")).count("remember this") == 3


def test_a_message_that_comes_again_is_announced_again_to_the_same(
    processes: Processes, environment: dict[str, str], amqp_uri: str
) -> None:
    """Gateways skip messages whose id they have heard, so the same id must always go to the same members."""
    forget_messages(amqp_uri)
    own, voice = f"test_{uuid.uuid4().hex}_", submitted("I need a lamp.")
    processes.start("notifications", "-m", "services.notifications", MONGO_DATABASE_PREFIX=own)
    processes.until("notifications", "serving")
    listener = Listener(amqp_uri, NOTIFICATIONS_DELIVERED.key)
    with connection(amqp_uri) as opened, pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"]) as client:
        people = PeopleStore(client[f"{own}notifications"], "notifications")
        channel, members = opened.channel(), sorted(identifiers.new_id(clock.now()) for _ in range(2))

        def told(times: int) -> tuple[str, list[str]]:
            publish(channel, orjson.dumps(voice))
            event = listener.wait(times)[times - 1]
            return event["id"], event["data"]["member_ids"]

        people.keep(person(members[0], "Amara", ["administrator"], [], clock.now(), 1))
        first = told(1)
        assert first[1] == members[:1]
        assert told(2) == first
        people.keep(person(members[1], "Bo", ["administrator"], [], clock.now(), 1))
        assert told(3) == first, "who is told was decided with the first delivery"
        client.drop_database(f"{own}notifications")
    listener.close()
