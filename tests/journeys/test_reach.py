"""The ways to reach a member: the member chooses them, the token and notifications keep them, no partner hears them."""

from collections.abc import Iterator
from typing import Any

import jwt
import pymongo
import pytest
import requests

from tests.rig.processes import Member, Platform, until
from tests.rig.wire import Listener

CHATHAM, NAIROBI = "Pacific/Chatham", "Africa/Nairobi"


@pytest.fixture
def reach(platform: Platform) -> Iterator[Any]:
    """The ways to reach members that notifications knows."""
    environment = platform.processes.environment
    with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"]) as client:
        yield client[environment["MONGO_DATABASE_PREFIX"] + "notifications"].reach


def claims(tokens: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    return {name: found[name] for name in ("locale", "zoneinfo") if name in found}


def refreshed(member: Member) -> dict[str, Any]:
    body = {"refresh_token": member.tokens["refresh_token"]}
    answer = requests.post(f"{member.url}/v1/sessions/refresh", json=body, timeout=10)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_choice_counts_from_the_next_token_on(platform: Platform) -> None:
    member = platform.join("Amara")
    assert (member.profile["language"], member.profile["zone"], claims(member.tokens)) == ("", "", {})
    changed = member.ask("PATCH", "/v1/me", json={"language": "de", "zone": NAIROBI})
    assert (changed["language"], changed["zone"]) == ("de", NAIROBI)
    member.tokens = refreshed(member)
    assert claims(member.tokens) == {"locale": "de", "zoneinfo": NAIROBI}
    member.ask("PATCH", "/v1/me", json={"language": None, "zone": ""})
    member.tokens = refreshed(member)
    assert claims(member.tokens) == {}
    assert (member.get("/v1/me")["language"], member.get("/v1/me")["zone"]) == ("", "")


def test_only_what_there_is_may_be_chosen(platform: Platform) -> None:
    member = platform.join("Amara", zone=CHATHAM)
    for wrong in ({"language": "tlh"}, {"zone": "Mars/Base"}, {"zone": "../Malta"}, {"zone": 5}):
        (error,) = member.ask("PATCH", "/v1/me", 422, json=wrong)["errors"]
        assert {error["field"]} == wrong.keys()
    assert member.get("/v1/me")["zone"] == CHATHAM


def test_nobody_else_sees_it(platform: Platform) -> None:
    member = platform.join("Amara", language="de", zone=CHATHAM)
    path = f"/v1/members/{member.id}"
    assert not {"language", "zone", "email"} & platform.administrator.get(path).keys()
    assert CHATHAM not in str(platform.administrator.get("/v1/members", params={"limit": 100}))


def test_the_platform_is_told_and_partners_are_not(platform: Platform, amqp_uri: str, reach: Any) -> None:
    partner = Listener(amqp_uri)
    member = platform.join("Amara", zone=CHATHAM)
    email = member.profile["email"]

    def known(address: str | None, language: str, zone: str) -> None:
        wanted = {"_id": member.id, "email": address, "language": language, "zone": zone}
        until(lambda: reach.find_one(wanted))

    known(email, "", CHATHAM)
    member.ask("PATCH", "/v1/me", json={"language": "de"})
    known(email, "de", CHATHAM)
    member.ask("PATCH", "/v1/me", json={"zone": NAIROBI, "tags_have": ["bread"]})
    known(email, "de", NAIROBI)
    reason = {"reason": "Somebody else uses this account."}
    platform.administrator.ask("PUT", f"/v1/members/{member.id}/suspension", json=reason)
    known(None, "", "")
    platform.administrator.ask("DELETE", f"/v1/members/{member.id}/suspension")
    known(email, "de", NAIROBI)
    platform.administrator.ask("DELETE", f"/v1/members/{member.id}", 204)
    known(None, "", "")

    heard = partner.wait(5)  # who joined, their tag, and what became of them
    assert [each["type"] for each in heard if each["subject"] == member.id] == [
        *("members.joined", "members.changed"),
        *["members.changed"] * 3,
    ]
    told = str([(each.body, each.properties) for each in partner.raw])
    assert member.id in told
    assert not [word for word in (email, CHATHAM, NAIROBI, "language", "zone") if word in told]
    partner.close()
