"""The same line is read by each member in their own language, and on their own clock."""

import secrets
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pymongo
import pytest
import requests

from tests.journeys.stream import follow
from tests.journeys.test_story import publish
from tests.rig.processes import Member, Platform, until

SUMMER = {"starts_at": "2027-05-16T16:30:00Z", "ends_at": "2027-05-16T18:00:00Z", "place": "The café"}
HOUSES = (  # the languages and zones of a hub, and how its members read the line then
    (["de", "en"], "Europe/Malta", "Neu: Repair café", "Sonntag, 16. Mai 2027, 18:30, The café"),
    (["en", "de"], "Africa/Nairobi", "New: Repair café", "Sunday, 16 May 2027, 19:30, The café"),
)
WORDS = {"title", "body", "reason"}


@pytest.fixture(scope="module")
def platform(own_platform: Platform) -> Platform:
    return own_platform


def choosing(platform: Platform, member: Member, **choice: str) -> Member:
    """The member, after they chose these and had their tokens refreshed."""
    member.ask("PATCH", "/v1/me", json=choice)
    fresh = member.post("/v1/sessions/refresh", {"refresh_token": member.tokens["refresh_token"]})
    return Member(platform.url, member.profile, member.tokens | fresh)


def test_two_members_read_one_line_by_list_by_stream_and_when_they_come_back(platform: Platform) -> None:
    tag = secrets.token_hex(4)
    trainer = platform.join("Tariq", ("trainer",))
    german = choosing(platform, platform.join("Dora", tags_want=[tag]), language="de", zone="Europe/Malta")
    english = choosing(platform, platform.join("Emil", tags_want=[tag]), language="en", zone="America/New_York")
    with follow(german) as hers, follow(english) as his:
        for number in (1, 2):
            publish(trainer, title=f"Repair café {number}", audience={"tags": [tag]}, **SUMMER)
            hers.wait(number), his.wait(number)
        streamed = {german.id: hers.events, english.id: his.events}
    said = {
        german.id: {
            "title": "Neu: Repair café 2",
            "body": "Sonntag, 16. Mai 2027, 18:30 UTC+2, The café",
            "reason": f"Weil es für alle ist, die {tag} anbieten oder suchen.",
        },
        english.id: {
            "title": "New: Repair café 2",
            "body": "Sunday, 16 May 2027, 12:30 UTC−4, The café",
            "reason": f"Because it is for people who offer or look for {tag}.",
        },
    }
    plain = []
    for member in (german, english):
        (first, earlier), (last, line) = streamed[member.id]
        assert {name: line[name] for name in WORDS} == said[member.id]
        assert member.inbox(2) == [line, earlier]
        with follow(member, first) as again:
            missed = dict(again.wait(1))
        assert missed[last] == line
        plain.append({name: value for name, value in line.items() if name not in WORDS})
    assert plain[0] == plain[1], "they differ in words and time only"


def test_who_has_chosen_no_language_reads_the_one_they_ask_for(platform: Platform) -> None:
    tag = secrets.token_hex(4)
    trainer, member = platform.join("Tariq", ("trainer",)), platform.join("Nora", tags_want=[tag])
    with follow(member, **{"Accept-Language": "de-AT, en;q=0.5"}) as stream:
        publish(trainer, audience={"tags": [tag]}, **SUMMER)
        ((_, live),) = stream.wait(1)
    assert live["body"] == "Sonntag, 16. Mai 2027, 16:30 UTC, The café"

    def read(by: Member, wish: str) -> dict[str, Any]:
        line: dict[str, Any]
        (line,) = by.get("/v1/notifications", headers={"Accept-Language": wish})["items"]
        return line

    assert read(member, "de-AT, en;q=0.5") == live
    assert read(member, "fr, en;q=0.1")["body"] == "Sunday, 16 May 2027, 16:30 UTC, The café"
    assert read(member, "en-US")["body"] == "Sunday, May 16, 2027, 4:30\u202fPM UTC, The café"
    chosen = choosing(platform, member, language="de")
    for wish in ("en-US", "fr", "*"):
        assert read(chosen, wish)["body"] == live["body"], "a choice counts more"


def test_a_line_of_an_older_version_is_shown_as_it_is(platform: Platform) -> None:
    member, environment = platform.join("Olga"), platform.processes.environment
    told = {"kind": "events.published", "title": "New: t", "body": "b", "link": "/v1/events/1", "reason": "Because."}
    id, now = "018f2d72-3f00-7d44-9e6a-1b2c3d4e5f60", datetime.now(UTC)
    row = {"_id": f"{member.id}:{id}", "member": member.id, "notification": id, **told, "at": now, "read_at": None}
    with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"]) as client:
        client[environment["MONGO_DATABASE_PREFIX"] + "notifications"].inbox.insert_one(row)
    (line,) = choosing(platform, member, language="de", zone="Europe/Malta").inbox(1)
    assert {name: line[name] for name in told} == told


def test_who_has_no_wish_reads_as_the_hub_does_and_a_change_of_the_house_is_followed(platform: Platform) -> None:
    tag = secrets.token_hex(4)
    trainer, member = platform.join("Tariq", ("trainer",)), platform.join("Hana", tags_want=[tag])
    publish(trainer, audience={"tags": [tag]}, **SUMMER)
    (line,) = member.inbox(1)
    assert line["body"] == "Sunday, 16 May 2027, 16:30 UTC, The café"

    with follow(member) as stream:
        for count, (languages, zone, title, body) in enumerate(HOUSES, 1):
            platform.administrator.ask("PATCH", "/v1/house", json={"languages": languages, "zone": zone})
            until(partial(reads, member, languages[0], body))
            publish(trainer, title="Repair café", audience={"tags": [tag]}, **SUMMER)
            live = stream.wait(count)[-1][1]
            assert (live["title"], live["body"]) == (title, body), "a stream that is open follows, too"
            assert member.inbox(count + 1)[0] == live


def reads(member: Member, language: str, body: str) -> bool:
    """Whether all lines in the member's inbox are so, in an answer that says its language."""
    token = {"Authorization": f"Bearer {member.tokens['access_token']}"}
    answer = requests.get(f"{member.url}/v1/notifications", headers=token, timeout=10)
    said = {each["body"] for each in answer.json()["items"]}
    return (answer.headers["Content-Language"], said) == (language, {body})
