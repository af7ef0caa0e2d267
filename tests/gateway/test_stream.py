"""Live streams, over the real broker."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from deploy.local.keys import Keys
from services.ground.clock import now
from services.ground.identifiers import new_id
from tests.gateway.conftest import MEMBER, Sign
from tests.gateway.door import Door
from tests.gateway.played import Responder, announce
from tests.rig.proxy import Proxy

OTHER = "018f2d6e-0000-7a3e-9c41-0f2b6d7e8a90"
TEXTS = {"kind": "events.published", "title": "t\nü", "body": "b", "link": "/v1/events/1", "reason": "r"}


FACTS = {
    "title": "Repair café",
    "starts_at": "2026-11-02T09:00:00.000Z",
    "ends_at": "2026-11-02T10:00:00.000Z",
    "place": "",
    "audience": {"everyone": True, "roles": [], "tags": []},
}


def delivered(*member_ids: str, at: str = "2026-11-02T09:00:01.123Z", **more: Any) -> dict[str, Any]:
    """A message as notifications announces it."""
    data = {"notification_id": str(uuid.uuid4()), **TEXTS, "at": at, "member_ids": list(member_ids), **more}
    return {"specversion": "1.0", "id": str(uuid.uuid4()), "type": "notifications.delivered", "data": data}


class Reader:
    """Reads one stream, block by block."""

    def __init__(self, answer: requests.Response) -> None:
        self.answer = answer
        self._lines = answer.iter_lines(chunk_size=1)

    def block(self) -> dict[str, str]:
        """The next block's fields; comments are under the empty name. Raises StopIteration at the end."""
        found: dict[str, str] = {}
        for line in self._lines:
            if not line:
                return found
            name, _, value = line.decode().partition(": ")
            found[name] = value
        raise StopIteration

    def notification(self) -> tuple[str, dict[str, Any]]:
        """The next event: its id and what it says."""
        while "data" not in (block := self.block()):
            pass
        assert block["event"] == "notification"
        return block["id"], json.loads(block["data"])

    def rest(self) -> list[dict[str, str]]:
        """All blocks to the end."""
        found = []
        try:
            while True:
                found.append(self.block())
        except StopIteration:
            return found


Open = Callable[..., Reader]


@pytest.fixture
def opened(sign: Sign) -> Iterator[Open]:
    """Opens streams at a door."""
    with ExitStack() as stack:

        def open_stream(door: Door, token: str = "", path: str = "", **headers: str) -> Reader:
            answer = requests.get(
                f"{door.url}/v1/notifications/stream{path}",
                headers={"Authorization": f"Bearer {token or sign()}", **headers},
                stream=True,
                timeout=10,
            )
            stack.callback(answer.close)
            return Reader(answer)

        yield open_stream


def test_a_member_sees_what_reaches_the_inbox(door: Door, amqp_uri: str, opened: Open) -> None:
    reader = opened(door)
    assert reader.answer.headers["Content-Type"].startswith("text/event-stream")
    assert reader.answer.headers["Cache-Control"] == "no-store"
    assert 2000 <= int(reader.block()["retry"]) <= 5000
    mine = delivered(OTHER, MEMBER)
    announce(amqp_uri, delivered(OTHER), mine, mine)
    id, said = reader.notification()
    data = mine["data"]
    assert id == f"1793610001123-{data['notification_id']}"
    assert said == {"id": data["notification_id"], **TEXTS, "at": data["at"], "read_at": None}
    assert "" in reader.block(), "a message that comes twice is said once; then come heartbeats"


def test_everyone_who_belonged_sees_a_broadcast(door: Door, sign: Sign, amqp_uri: str, opened: Open) -> None:
    belonging = datetime(2026, 11, 2, 9, tzinfo=UTC)
    newcomer = new_id(belonging + timedelta(milliseconds=1))
    readers = {id: opened(door, token=sign(id)) for id in (MEMBER, OTHER, new_id(belonging), newcomer)}

    def told(but: str | None) -> dict[str, Any]:
        return delivered(everyone={"belonging": "2026-11-02T09:00:00.000Z", "but": but})

    first, second, last = told(None), told(OTHER), delivered(*readers)
    announce(amqp_uri, first, second, last)
    for id, reader in readers.items():
        meant = [last] if id == newcomer else [first, last] if id == OTHER else [first, second, last]
        assert [reader.notification()[1]["id"] for _ in meant] == [each["data"]["notification_id"] for each in meant]


def test_each_reads_it_in_their_language_and_zone(door: Door, sign: Sign, amqp_uri: str, opened: Open) -> None:
    german = opened(door, token=sign(new_id(now()), locale="de", zoneinfo="Europe/Malta"))
    asking = opened(door, token=sign(new_id(now())), **{"Accept-Language": "de"})
    english = opened(door, token=sign(new_id(now()), locale="en", zoneinfo="America/New_York"))
    neither = opened(door, token=sign(new_id(now())))
    assert [each.answer.headers["Content-Language"] for each in (german, asking, english, neither)] == [
        "de", "de", "en", "en",
    ]  # fmt: skip
    assert "Accept-Language" in german.answer.headers["Vary"]
    message = delivered(everyone={"belonging": "2099-01-01T00:00:00.000Z", "but": None})
    for name in ("title", "body", "reason"):
        del message["data"][name]
    message["data"] |= {"kind": "events.published", "facts": FACTS}
    announce(amqp_uri, message)
    said = [reader.notification() for reader in (german, asking, english, neither)]
    assert len({id for id, _ in said}) == 1
    assert [(each["title"], each["body"]) for _, each in said] == [
        ("Neu: Repair café", "Montag, 2. November 2026, 10:00 UTC+1"),
        ("Neu: Repair café", "Montag, 2. November 2026, 09:00 UTC"),
        ("New: Repair café", "Monday, 2 November 2026, 04:00 UTC−5"),
        ("New: Repair café", "Monday, 2 November 2026, 09:00 UTC"),
    ]
    assert [set(each) for _, each in said] == [{"id", *TEXTS, "at", "read_at"}] * 4


def test_of_two_versions_of_a_message_the_first_is_shown(door: Door, amqp_uri: str, opened: Open) -> None:
    reader = opened(door)
    old = delivered(MEMBER)
    new = {**old, "id": str(uuid.uuid4()), "data": old["data"] | {"facts": FACTS}}
    announce(amqp_uri, new, old, last := delivered(MEMBER))
    assert reader.notification()[1]["title"] == "New: Repair café"
    assert reader.notification()[1]["id"] == last["data"]["notification_id"]


def test_who_comes_back_catches_up_without_gaps_or_repetitions(
    door: Door, amqp_uri: str, responder: Responder, opened: Open
) -> None:
    both = delivered(MEMBER)
    line = {"event_id": f"1-{both['data']['notification_id']}", "id": both["data"]["notification_id"], "read_at": None}
    missed = {"event_id": f"0-{uuid.uuid4()}", "id": str(uuid.uuid4()), "title": "missed", "read_at": None}
    after = f"1793610000000-{uuid.uuid4()}"

    def since(kwargs: dict[str, Any]) -> dict[str, Any]:
        assert kwargs == {"after": after}
        announce(amqp_uri, both)  # it arrives live, and is also among the missed messages
        time.sleep(0.3)
        return {"items": [missed, line]}

    responder.answers["since"] = since
    for path, headers in (("", {"Last-Event-ID": after}), (f"?last_event_id={after}", {})):
        both["id"] = str(uuid.uuid4())
        reader = opened(door, path=path, **headers)
        assert reader.notification() == (missed["event_id"], {k: v for k, v in missed.items() if k != "event_id"})
        assert reader.notification()[0] == line["event_id"]
        announce(amqp_uri, newer := delivered(MEMBER))
        assert reader.notification()[1]["id"] == newer["data"]["notification_id"]
    token = responder.requests[0].properties["application_headers"]["nameko.token"]
    assert token.count(".") == 2


def test_a_last_event_id_that_is_none_is_ignored(door: Door, responder: Responder, opened: Open) -> None:
    for value in ("x", "1", "-" * 90, f"{'9' * 30}-{uuid.uuid4()}"):
        assert opened(door, **{"Last-Event-ID": value}).answer.status_code == 200
    assert responder.requests == []


def test_who_heard_nothing_yet_may_come_back_too(door: Door, opened: Open) -> None:
    reader = opened(door)
    reader.block()
    milliseconds = int(reader.block()["id"].partition("-")[0])
    assert abs(milliseconds / 1000 - time.time()) < 5


def test_what_was_missed_cannot_be_had(door: Door, opened: Open) -> None:
    answer = opened(door, **{"Last-Event-ID": f"1-{uuid.uuid4()}"}).answer
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert "hearth_gateway_streams 0.0" in requests.get(f"{door.url}/metrics", timeout=5).text


def test_a_member_may_have_five_streams(door: Door, sign: Sign, opened: Open) -> None:
    readers = [opened(door) for _ in range(5)]
    refused = opened(door).answer
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_streams")
    assert 2 <= int(refused.headers["Retry-After"]) <= 5
    assert opened(door, token=sign(OTHER)).answer.status_code == 200
    readers[0].answer.close()
    time.sleep(0.2)
    assert opened(door).answer.status_code == 200, "a reader who leaves makes room at once"


def test_a_worker_has_room_for_so_many(proxy: Proxy, keys: Keys, sign: Sign, tmp_path: Path, opened: Open) -> None:
    with Door(tmp_path, AMQP_URI=proxy.uri, TOKEN_JWKS_FILE=str(keys.jwks_file), STREAMS="2") as door:
        answers = [opened(door, token=sign(new_id(now()))).answer for _ in range(3)]
        assert [each.status_code for each in answers] == [200, 200, 503]
        assert 2 <= int(answers[2].headers["Retry-After"]) <= 5


def test_a_stream_ends_with_its_token(door: Door, sign: Sign, opened: Open) -> None:
    began = time.monotonic()
    last = opened(door, token=sign(seconds=3)).rest()[-1]
    assert 2000 <= int(last["retry"]) <= 5000
    assert 1.5 < time.monotonic() - began < 4


def test_streams_end_when_the_worker_stops(door: Door, opened: Open) -> None:
    readers = [opened(door) for _ in range(5)]
    first = [reader.block()["retry"] for reader in readers]
    began = time.monotonic()
    door.process.terminate()
    last = [reader.rest()[-1]["retry"] for reader in readers]  # which would raise, had the answers been cut off
    assert len({*first, *last}) > 5, "not all come back at once"
    assert door.process.wait(10) == 0
    assert time.monotonic() - began < 8


def test_streams_end_when_the_bus_is_lost(door: Door, proxy: Proxy, amqp_uri: str, opened: Open) -> None:
    reader = opened(door)
    reader.block()
    proxy.cut()
    reader.rest()
    door.wait_for("broker connected", times=2)
    again = opened(door)
    announce(amqp_uri, message := delivered(MEMBER))
    assert again.notification()[1]["id"] == message["data"]["notification_id"]


def test_a_slow_reader_is_sent_away_and_slows_nobody(door: Door, sign: Sign, amqp_uri: str, opened: Open) -> None:
    slow, quick = opened(door), opened(door, token=sign(OTHER))
    slow.block()
    big = delivered(MEMBER)
    big["data"]["body"] = "x" * 100_000
    many = ({**big, "data": big["data"] | {"notification_id": str(uuid.uuid4())}} for _ in range(200))
    announce(amqp_uri, *many, last := delivered(OTHER))
    assert quick.notification()[1]["id"] == last["data"]["notification_id"]
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        list(slow.answer.iter_content(65536))


def test_garbage_on_the_bus_is_ignored(door: Door, amqp_uri: str, opened: Open) -> None:
    reader = opened(door)
    wrong: list[Any] = [None, [], {}, {"id": []}, {"id": "1", "data": None}, {"id": "2", "data": {"member_ids": [{}]}}]
    wrong.append({"id": "3", "data": {"member_ids": [MEMBER], "at": 5}})
    wrong += [delivered(MEMBER, facts=each) for each in (5, {}, FACTS | {"title": 5}, FACTS | {"starts_at": "soon"})]
    wrong += [delivered(everyone=each) for each in (True, {}, {"belonging": "soon"}, {"belonging": 5, "but": None})]
    announce(amqp_uri, *wrong, good := delivered(MEMBER))
    assert reader.notification()[1]["id"] == good["data"]["notification_id"]
    assert door.log.count("broker connected") == 1


def test_a_look_at_the_headers_opens_nothing(door: Door, bearer: dict[str, str]) -> None:
    for _ in range(7):
        assert requests.head(f"{door.url}/v1/notifications/stream", headers=bearer, timeout=5).status_code == 200
