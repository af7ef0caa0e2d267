"""The main job from end to end: a fact enters at one door and reaches the members whom it concerns."""

import json
import secrets
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import amqp
import pymongo
import pytest
import requests

from services.chassis import cursors
from tests.journeys.stream import follow
from tests.rig.days import to_come
from tests.rig.processes import PASSWORD, Member, Platform
from tests.rig.wire import Listener, connection

STARTS, FAR = to_come(), to_come(3654)


def there(moment: datetime) -> str:
    """A moment as text, on a clock one hour ahead of UTC."""
    return moment.astimezone(timezone(timedelta(hours=1))).isoformat()


def an_event(**changes: Any) -> dict[str, Any]:
    return {
        "title": "Café morning: how we print",
        "touchpoint": "cafe",
        "place": "The café",
        "starts_at": there(STARTS),
        "ends_at": there(STARTS + timedelta(hours=1, minutes=30)),
        "audience": {"tags": ["printing"]},
    } | changes


def publish(host: Member, **changes: Any) -> Any:
    event = host.post("/v1/events", an_event(**changes))
    assert event["status"] == "draft"
    return host.post(f"/v1/events/{event['id']}/publish", status=200)


def test_an_event_reaches_its_audience_and_nobody_else(platform: Platform) -> None:
    tag = secrets.token_hex(4)
    trainer = platform.join("Tariq", ("trainer",), tags_have=[tag])
    wants = platform.join("Wanda", tags_want=[tag.upper()])
    offers = platform.join("Omar", tags_have=[tag])
    other = platform.join("Olga")
    with follow(wants) as stream:
        event = publish(trainer, audience={"tags": [tag]})
        (event_id, live), *_ = stream.wait(1)
    (found,) = wants.inbox(1)
    assert found == live
    assert event_id.endswith(found["id"])
    assert found["title"] == "New: Café morning: how we print"
    assert found["body"] == f"{STARTS:%A}, {STARTS.day} {STARTS:%B %Y}, 09:00 UTC, The café"
    assert found["link"] == f"/v1/events/{event['id']}"
    assert found["reason"] == f"Because it is for people who offer or look for {tag}."
    assert len(offers.inbox(1)) == 1
    other.inbox(0)
    trainer.inbox(0)
    assert wants.get(found["link"])["starts_at"] == f"{STARTS:%Y-%m-%d}T09:00:00.000Z"
    late = {"starts_after": (STARTS - timedelta(minutes=1)).isoformat(), "limit": 100}
    assert event["id"] in [each["id"] for each in other.get("/v1/events", params=late)["items"]]


def test_what_is_for_everyone_is_in_each_inbox_once(platform: Platform, amqp_uri: str) -> None:
    trainer, member = platform.join("Tariq", ("trainer",)), platform.join("Wanda")
    before, told = trainer.get("/v1/notifications")["items"], member.get("/v1/notifications")["items"]
    with follow(member) as stream, follow(trainer) as own:
        published, delivered = (Listener(amqp_uri, key) for key in ("events.published", "notifications.delivered"))
        event = publish(trainer, audience={"everyone": True})
        (event_id, live), *_ = stream.wait(1)
        (found, *_) = member.inbox(len(told) + 1)
        assert (found, found["link"]) == (live, f"/v1/events/{event['id']}")
        assert found["reason"] == "Because it is for everyone at the hub."
        assert event_id.endswith(found["id"])
        (message,) = published.wait(1)
        late = platform.join("Lena")
        with connection(amqp_uri) as bus:
            body = amqp.Message(json.dumps(message), content_type="application/cloudevents+json")
            bus.channel().basic_publish(body, "community", "events.published")
        assert len({each["id"] for each in delivered.wait(2)}) == 1, "what is heard again is announced as the same"
        publish(trainer, title="Another one", audience={"everyone": True})
        newest, same, *_ = member.inbox(len(told) + 2)
        assert (newest["title"], same) == ("New: Another one", found)
        assert [each["title"] for _, each in stream.wait(2)] == [found["title"], "New: Another one"]
        assert own.events == [], "nobody is told of their own deed"
    assert trainer.get("/v1/notifications")["items"] == before
    (first,) = late.inbox(1)
    assert first["title"] == "New: Another one", "who joined later is not told"
    assert late.get("/v1/notifications/unread") == {"unread": 1}
    late.ask("POST", f"/v1/notifications/{found['id']}/read", 404)
    member.post(f"/v1/notifications/{found['id']}/read", status=204)
    assert member.get("/v1/notifications/unread") == {"unread": len(told) + 1}
    with follow(late, event_id) as stream:
        assert [each["id"] for _, each in stream.wait(1)] == [newest["id"]]
    for listener in (published, delivered):
        listener.close()


def test_cancelling_tells_the_same_people(platform: Platform) -> None:
    tag = secrets.token_hex(4)
    trainer = platform.join("Tariq", ("trainer",))
    member = platform.join("Wanda", tags_want=[tag])
    event = publish(trainer, audience={"tags": [tag]})
    member.inbox(1)
    cancelled = trainer.post(f"/v1/events/{event['id']}/cancel", {"reason": "The trainer is ill."}, status=200)
    assert cancelled["status"] == "cancelled"
    newest, _ = member.inbox(2)
    assert newest["title"] == "Cancelled: Café morning: how we print"
    assert "The trainer is ill." in newest["body"]


def test_a_draft_is_changed_and_cancelled_without_a_word(platform: Platform, amqp_uri: str) -> None:
    trainer = platform.join("Tariq", ("mentor",))
    stranger = platform.join("Olga")
    listener = Listener(amqp_uri, "events.*")
    event = trainer.post("/v1/events", an_event())
    assert (
        trainer.ask("PATCH", f"/v1/events/{event['id']}", json={"title": "Another title"})["title"] == "Another title"
    )
    assert [each["id"] for each in trainer.get("/v1/events?status=draft")["items"]] == [event["id"]]
    assert stranger.get("/v1/events?status=draft")["items"] == []
    stranger.ask("GET", f"/v1/events/{event['id']}", 404)
    stranger.ask("POST", f"/v1/events/{event['id']}/publish", 404)
    stranger.ask("POST", "/v1/events", 403, json=an_event())
    trainer.post(f"/v1/events/{event['id']}/cancel", {"reason": "Nobody has time."}, status=200)
    stranger.ask("GET", f"/v1/events/{event['id']}", 404)
    cancelled = stranger.get("/v1/events?status=cancelled&limit=100")["items"]
    assert event["id"] not in [each["id"] for each in cancelled]
    assert listener.drain(1) == []
    listener.close()


def test_a_voice_reaches_the_administrators_and_each_step_its_author(platform: Platform) -> None:
    author, stranger = platform.join("Amara"), platform.join("Olga")
    second = platform.join("Second", ("administrator",))
    text = f"I need a quiet room {secrets.token_hex(4)}"
    voice = author.post("/v1/feedback", {"text": text, "kind": "need", "touchpoint": "cafe"})
    assert (voice["status"], voice["author_id"], voice["claim_code"]) == ("received", author.id, None)
    (told,) = second.inbox(1)
    assert told["title"] == f"Somebody needs (café): {text}"
    stranger.ask("GET", told["link"], 404)
    stranger.ask("POST", f"{told['link']}/answers", 404, json={"text": "me"})
    author.ask("POST", f"{told['link']}/answers", 403, json={"text": "me"})
    second.post(f"{told['link']}/answers", {"text": "We look for a room."})
    second.ask("PUT", f"{told['link']}/status", json={"status": "decided"})
    second.ask("PUT", f"{told['link']}/status", 409, json={"status": "acknowledged"})
    second.ask("PUT", f"{told['link']}/status", 422, json={"status": "declined"})
    second.ask("PUT", f"{told['link']}/status", json={"status": "declined", "reason": "The building is full."})
    declined, decided, answered = author.inbox(3)
    assert answered["body"] == "We look for a room."
    assert decided["title"] == f"The hub has decided to act on what you said: “{text}”"
    assert declined["body"] == "The building is full."
    found = author.get(f"/v1/feedback/{voice['id']}")
    assert found["status"] == "declined"
    assert [each["by"] for each in found["answers"]] == [second.id]
    stranger.inbox(0)
    assert author.id in {each["author_id"] for each in second.get("/v1/feedback?status=declined&limit=100")["items"]}
    assert {each["author_id"] for each in author.get("/v1/feedback")["items"]} == {author.id}


def test_an_anonymous_voice_leads_to_nobody(platform: Platform, amqp_uri: str) -> None:
    environment = platform.processes.environment
    author, host = platform.join("Amara"), platform.join("Hanna", ("host",))
    listener = Listener(amqp_uri, "feedback.*")
    request_id = f"asked-by-{author.id[:8]}"
    voice = author.post(
        "/v1/feedback", {"text": "The kitchenette smells.", "anonymous": True}, headers={"X-Request-ID": request_id}
    )
    assert voice["author_id"] is None
    assert voice["raised_at"].endswith("T00:00:00.000Z")
    (announced,) = listener.wait(1)
    host.post(f"/v1/feedback/{voice['id']}/answers", {"text": "We clean it on Fridays now."})
    author.ask("GET", f"/v1/feedback/{voice['id']}", 404)
    claim = {"claim_code": voice["claim_code"]}
    outcome = requests.post(f"{platform.url}/v1/feedback/claims", json=claim, timeout=5)
    assert outcome.json()["answers"][0]["text"] == "We clean it on Fridays now."
    assert requests.post(f"{platform.url}/v1/feedback/claims", json={"claim_code": "x"}, timeout=5).status_code == 404
    with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"]) as client:
        stored = client[environment["MONGO_DATABASE_PREFIX"] + "feedback"].voices.find_one({"_id": voice["id"]})
    for trace in (author.id, author.profile["email"], request_id, voice["claim_code"]):
        assert trace not in str(stored)
        assert trace not in str(announced)
    for process in (*platform.SERVICES, "gateway"):
        for trace in (author.id, author.profile["email"], voice["claim_code"]):
            assert trace not in platform.processes.log(process)
        assert voice["id"] not in "".join(
            line for line in platform.processes.log(process).splitlines() if request_id in line
        )
    author.inbox(0)
    listener.close()


def test_reading(platform: Platform) -> None:
    tag = secrets.token_hex(4)
    trainer, member = platform.join("Tariq", ("trainer",)), platform.join("Wanda", tags_want=[tag])
    for number in range(5):
        publish(trainer, title=f"Event {number}", audience={"tags": [tag]})
        member.inbox(number + 1)
    assert member.get("/v1/notifications/unread") == {"unread": 5}
    first = member.get("/v1/notifications?limit=3")
    rest = member.get("/v1/notifications", params={"limit": 3, "cursor": first["next"]})
    titles = [each["title"] for each in first["items"] + rest["items"]]
    assert titles == [f"New: Event {number}" for number in (4, 3, 2, 1, 0)]
    assert rest["next"] is None
    newest = first["items"][0]["id"]
    assert trainer.ask("POST", f"/v1/notifications/{newest}/read", 404)["status"] == 404
    member.post(f"/v1/notifications/{newest}/read", status=204)
    assert member.get("/v1/notifications/unread") == {"unread": 4}
    assert len(member.get("/v1/notifications?unread=true")["items"]) == 4
    assert member.post("/v1/notifications/read", status=200) == {"marked": 4}
    assert member.get("/v1/notifications/unread") == {"unread": 0}
    assert all(each["read_at"] for each in member.get("/v1/notifications")["items"])


def test_a_stream_that_broke_goes_on_where_it_was(platform: Platform) -> None:
    tag = secrets.token_hex(4)
    trainer, member = platform.join("Tariq", ("trainer",)), platform.join("Wanda", tags_want=[tag])
    with follow(member) as stream:
        publish(trainer, title="Seen", audience={"tags": [tag]})
        ((last, _),) = stream.wait(1)
    publish(trainer, title="Missed", audience={"tags": [tag]})
    member.inbox(2)
    with follow(member, last) as stream:
        publish(trainer, title="Live", audience={"tags": [tag]})
        stream.wait(2)
        time.sleep(0.5)
        assert [found["title"] for _, found in stream.events] == ["New: Missed", "New: Live"]


def test_nobody_misses_anything_when_a_gateway_is_stopped(platform: Platform) -> None:
    tag = secrets.token_hex(4)
    trainer, member = platform.join("Tariq", ("trainer",)), platform.join("Wanda", tags_want=[tag])
    with platform.other_door() as url, follow(member.at(url)) as stream:
        publish(trainer, title="Seen", audience={"tags": [tag]})
        stream.wait(1)
        platform.processes.end("other gateway")
        last = stream.end()
    publish(trainer, title="Missed", audience={"tags": [tag]})
    member.inbox(2)
    with follow(member, last) as stream:
        publish(trainer, title="Live", audience={"tags": [tag]})
        assert [found["title"] for _, found in stream.wait(2)] == ["New: Missed", "New: Live"]


def test_profile_roles_and_directory(platform: Platform) -> None:
    tag = secrets.token_hex(4)
    member = platform.join("Amara", what_i_do="Bookkeeping", country="KE", languages=["en", "sw"])
    changed = member.ask("PATCH", "/v1/me", json={"tags_have": [tag, f"  {tag.upper()} "], "pronouns": "she/her"})
    assert (changed["tags_have"], changed["version"], changed["country"]) == ([tag], 2, "KE")
    found = platform.administrator.get("/v1/members", params={"tag": tag})["items"]
    assert [each["id"] for each in found] == [member.id]
    assert "email" not in found[0]
    path = f"/v1/members/{member.id}"
    member.ask("PUT", f"{path}/roles", 403, json={"roles": ["administrator"]})
    assert platform.administrator.ask("PUT", f"{path}/roles", json={"roles": ["trainer"]})["roles"] == ["trainer"]
    fresh = requests.post(
        f"{platform.url}/v1/sessions/refresh", json={"refresh_token": member.tokens["refresh_token"]}, timeout=5
    ).json()
    authorised = Member(platform.url, member.profile, fresh)
    assert authorised.get(path)["roles"] == ["trainer"]
    assert authorised.post("/v1/events", an_event())["host_id"] == member.id
    administrator = platform.administrator
    administrator.ask("PUT", f"/v1/members/{administrator.id}/roles", 409, json={"roles": ["host"]})


def test_who_was_an_administrator_does_not_become_one_again_by_their_token(platform: Platform) -> None:
    other = platform.join("Other", ("administrator",))
    path = f"/v1/members/{other.id}/roles"
    platform.administrator.ask("PUT", path, json={"roles": ["coworker"]})
    token = {"Authorization": f"Bearer {other.tokens['access_token']}"}
    for method, address, body in (
        ("PUT", path, {"roles": ["administrator"]}),
        ("POST", "/v1/invitations", {"email": "accomplice@hub.example"}),
    ):
        answer = requests.request(method, platform.url + address, json=body, headers=token, timeout=5)
        assert answer.status_code in (401, 403), "the gateway may know already that this token counts no more"


def test_joining_needs_an_invitation_that_is_used_once(platform: Platform) -> None:
    member = platform.join("Amara")
    member.ask("POST", "/v1/invitations", 403, json={"email": "x@hub.example"})
    administrator = platform.administrator
    administrator.ask("POST", "/v1/invitations", 409, json={"email": member.profile["email"].upper()})
    email = f"{secrets.token_hex(4)}@hub.example"
    code = administrator.post("/v1/invitations", {"email": email})["code"]
    registration = {"code": code, "name": "Zed", "password": PASSWORD}

    def register(**changes: Any) -> requests.Response:
        return requests.post(f"{platform.url}/v1/members", json=registration | changes, timeout=5)

    assert register(password="too short").status_code == 422
    assert register(code="invented").json()["errors"][0]["field"] == "code"
    joined = register()
    assert (joined.status_code, joined.json()["email"]) == (201, email)
    assert register().status_code == 422
    assert "password" not in joined.text


def test_signing_out(platform: Platform) -> None:
    member = platform.join("Amara")
    elsewhere = platform.sign_in(member.profile["email"])

    def refresh(tokens: dict[str, Any]) -> requests.Response:
        body = {"refresh_token": tokens["refresh_token"]}
        return requests.post(f"{platform.url}/v1/sessions/refresh", json=body, timeout=5)

    member.ask("DELETE", "/v1/sessions/current", 204)
    assert refresh(member.tokens).status_code == 401
    rotated = refresh(elsewhere.tokens)
    assert rotated.status_code == 201
    elsewhere.ask("DELETE", "/v1/sessions", 204)
    assert refresh(rotated.json()).status_code == 401


def test_wrong_password_and_unknown_address_get_the_same_answer(platform: Platform) -> None:
    member = platform.join("Amara")
    answers = [
        requests.post(f"{platform.url}/v1/sessions", json={"email": email, "password": "wrong" * 4}, timeout=5).json()
        for email in (member.profile["email"], "nobody@hub.example")
    ]
    assert [each.pop("instance") for each in answers]
    assert answers[0] == answers[1]
    assert answers[0]["status"] == 401


BAD = [
    ("POST", "/v1/feedback", {"text": ""}, "text"),
    ("POST", "/v1/feedback", {"text": "x" * 4001}, "text"),
    ("POST", "/v1/feedback", {"text": 5}, "text"),
    ("POST", "/v1/feedback", {"text": None}, "text"),
    ("POST", "/v1/feedback", {"text": {"$gt": ""}}, "text"),
    ("POST", "/v1/feedback", {}, "text"),
    ("POST", "/v1/feedback", {"text": "a", "mood": "good"}, "mood"),
    ("POST", "/v1/feedback", {"text": "a", "kind": "shout"}, "kind"),
    ("POST", "/v1/feedback", {"text": "a\u0000b"}, "text"),
    ("POST", "/v1/events", an_event(title="abc"), "title"),
    ("POST", "/v1/events", an_event(starts_at="tomorrow"), "starts_at"),
    ("POST", "/v1/events", an_event(starts_at=f"{STARTS:%Y-%m-%d}T10:00:00"), "starts_at"),
    ("POST", "/v1/events", an_event(starts_at="2001-01-01T10:00:00Z"), "starts_at"),
    ("POST", "/v1/events", an_event(ends_at=there(STARTS - timedelta(days=1))), "ends_at"),
    ("POST", "/v1/events", an_event(starts_at=there(FAR), ends_at=there(FAR + timedelta(hours=1))), "starts_at"),
    ("POST", "/v1/events", an_event(ends_at=there(FAR)), "ends_at"),
    ("POST", "/v1/events", an_event(audience={}), "audience"),
    ("POST", "/v1/events", an_event(audience={"roles": ["boss"]}), "audience.roles.0"),
    ("POST", "/v1/events", an_event(link="javascript:alert(1)"), "link"),
    ("POST", "/v1/invitations", {"email": "not-an-address"}, "email"),
    ("GET", "/v1/notifications?limit=0", None, "limit"),
    ("GET", "/v1/notifications?cursor=x", None, "cursor"),
    *(
        ("GET", f"/v1/{name}?cursor={cursors.write([milliseconds, 'x'])}", None, "cursor")
        for name in ("events", "feedback", "notifications")
        for milliseconds in (10**17, -(10**17))
    ),
    ("GET", "/v1/members?role=boss", None, "role"),
    ("GET", "/v1/events?surprise=1", None, "surprise"),
]


@pytest.mark.parametrize(("method", "path", "body", "field"), BAD)
def test_bad_input_names_the_field_and_changes_nothing(
    platform: Platform, amqp_uri: str, method: str, path: str, body: Any, field: str
) -> None:
    listener = Listener(amqp_uri)
    kwargs = {"json": body} if body is not None else {}
    problem = platform.administrator.ask(method, path, 422, **kwargs)
    assert field in [each["field"] for each in problem["errors"]]
    assert problem["title"]
    assert not [each for each in listener.drain(0.1) if each["type"].split(".")[0] in ("feedback", "events")]
    listener.close()
