"""The limit on voices per member and day. It betrays nothing about anonymous voices."""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pymongo
import pytest
import requests

from services.chassis.tallies import WRITTEN_EVERY
from services.ground import clock
from tests.journeys.test_takedown import documents
from tests.rig.processes import Member, Platform, until

A_DAY = 4  # voices
TEXT, SECRET = {"text": "I need a lamp."}, {"text": "I need a lamp.", "anonymous": True}


@pytest.fixture(scope="module")
def strict(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A platform that takes few voices a day of one member."""
    folder: Path = tmp_path_factory.mktemp("strict")
    with Platform.running(environment | {"VOICES_A_DAY": str(A_DAY)}, folder) as running:
        yield running


def statuses(member: Member, bodies: list[dict[str, Any]]) -> list[int]:
    """Send voices all at once; return the statuses of the answers."""

    def say(body: dict[str, Any]) -> int:
        headers = {"Authorization": f"Bearer {member.tokens['access_token']}"}
        return requests.post(f"{member.url}/v1/feedback", json=body, headers=headers, timeout=20).status_code

    with ThreadPoolExecutor(20) as pool:
        return list(pool.map(say, bodies))


def test_a_member_raises_so_many_voices_a_day_with_and_without_a_name(strict: Platform) -> None:
    member, other = strict.join("Amara"), strict.join("Olga")
    key = {"Idempotency-Key": secrets.token_hex(8)}
    for _ in range(3):
        member.post("/v1/feedback", TEXT, headers=key)
        member.post("/v1/feedback", {"text": " "}, status=422)
    for body in (SECRET, TEXT, SECRET):
        member.post("/v1/feedback", body)
    again = strict.sign_in(member.profile["email"])
    for who, body in ((member, TEXT), (member, SECRET), (again, SECRET), (again, TEXT)):
        refused = who.post("/v1/feedback", body, status=429)
        assert refused["code"] == "too_many_voices"
        assert refused["detail"].startswith("A member may raise 4 voices a day.")
    headers = {"Authorization": f"Bearer {member.tokens['access_token']}"}
    headers["Idempotency-Key"] = secrets.token_hex(8)
    answer = requests.post(f"{strict.url}/v1/feedback", json=TEXT, headers=headers, timeout=10)
    now = clock.now()
    midnight = now.replace(hour=0, minute=0, second=0) + timedelta(days=1)
    assert abs(int(answer.headers["Retry-After"]) - (midnight - now).total_seconds()) < 30
    assert len(member.get("/v1/feedback?mine=true")["items"]) == 2
    other.post("/v1/feedback", SECRET)
    forget_the_day(strict)
    member.post("/v1/feedback", TEXT, headers=headers)  # the key does not keep a refusal that passes


def forget_the_day(platform: Platform) -> None:
    environment = platform.processes.environment
    with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"]) as client:
        tallies = client[environment["MONGO_DATABASE_PREFIX"] + "feedback"].tallies
        platform.processes.end("feedback")
        tallies.delete_many({})
    platform.serve("feedback")
    platform.ready()


def test_many_at_once_are_not_too_many(strict: Platform) -> None:
    for bodies in ([SECRET] * 20, [TEXT] * 20):
        assert statuses(strict.join(), bodies).count(201) == A_DAY
    mixed = statuses(strict.join(), [TEXT, SECRET] * 10)
    assert set(mixed) == {201, 429}
    assert mixed.count(201) <= A_DAY


def test_what_is_counted_leads_to_nobody(strict: Platform) -> None:
    member = strict.join("Amara")
    time.sleep(WRITTEN_EVERY + 0.5)  # until the tallies of the others are written
    before = {each["_id"] for each in documents(strict, "feedback")["feedback.tallies"]}
    for body in (SECRET, TEXT, SECRET):
        member.post("/v1/feedback", body)

    def counted() -> list[dict[str, Any]]:
        return [each for each in documents(strict, "feedback")["feedback.tallies"] if each["_id"] not in before]

    tallies = until(lambda: counted() if sum(each["count"] for each in counted()) == 3 else None)
    (named,), (nameless,) = (
        [each for each in tallies if (member.id in each["_id"]) is known] for known in (True, False)
    )
    assert (named["count"], nameless["count"]) == (1, 2), "in one row, three beside one with a name would tell of two"
    for each in (named, nameless):
        assert set(each) == {"_id", "count", "ends_at"}
        moment = each["ends_at"]
        assert (moment.hour, moment.minute, moment.second, moment.microsecond) == (0, 0, 0, 0)
    everything = str(
        {name: rows for name, rows in documents(strict, *strict.SERVICES).items() if "tallies" not in name}
    )
    assert nameless["_id"] not in everything, "nothing else knows this name"
    for process in (*strict.SERVICES, "gateway"):
        assert nameless["_id"] not in strict.processes.log(process)


def test_the_audit_log_does_not_say_who_raised_too_many_voices(strict: Platform) -> None:
    """A member without named voices who is refused one more must have raised anonymous ones."""
    member = strict.join("Amara")
    for _ in range(A_DAY):
        member.post("/v1/feedback", SECRET)
    member.post("/v1/feedback", SECRET, status=429)

    def entries(**query: str) -> list[dict[str, Any]]:
        return list(strict.administrator.get("/v1/audit", params={"outcome": "denied", **query})["items"])

    until(lambda: [each for each in entries() if each["code"] == "too_many_voices"])
    for each in entries():
        if each["code"] == "too_many_voices":
            assert (each["operation"], each["actor_id"], each["network"]) == ("raise_voice", None, None)
    assert entries(actor_id=member.id) == []
