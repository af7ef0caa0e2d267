"""The audit log has all denials and all deeds that need a right. Private facts are in no log, message or entry."""

import secrets
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pymongo
import requests

from services.ground import clock
from tests.rig.processes import PASSWORD, Member, Platform, free_port
from tests.rig.proxy import Proxy
from tests.rig.wire import Listener


def entries(
    reader: Member, fits: Callable[[dict[str, Any]], bool], count: int = 1, **query: Any
) -> list[dict[str, Any]]:
    """The entries that fit, once there are so many."""
    until = time.monotonic() + 15
    while True:
        found = [each for each in everything(reader, "/v1/audit", **query) if fits(each)]
        if len(found) == count:
            return found
        assert time.monotonic() < until, found
        time.sleep(0.1)


def everything(reader: Member, path: str, **query: Any) -> Iterator[dict[str, Any]]:
    """All that a list has, page by page."""
    cursor: dict[str, Any] = {}
    while True:
        page = reader.get(path, params={"limit": 100, **query, **cursor})
        yield from page["items"]
        if not page["next"]:
            return
        cursor = {"cursor": page["next"]}


def since(moment: datetime, fits: Callable[[dict[str, Any]], bool]) -> Callable[[dict[str, Any]], bool]:
    return lambda entry: datetime.fromisoformat(entry["at"]) >= moment and fits(entry)


def of(operation: str, **facts: Any) -> Callable[[dict[str, Any]], bool]:
    wanted = {"operation": operation, **facts}
    return lambda entry: wanted.items() <= entry.items()


def test_an_administrator_sees_who_did_what_and_what_was_denied(platform: Platform) -> None:
    administrator, member = platform.join("Root", ("administrator",)), platform.join("Amara")
    began = clock.now()
    wrong = {"email": member.profile["email"], "password": "not the password"}
    assert requests.post(f"{platform.url}/v1/sessions", json=wrong, timeout=5).status_code == 401
    member.ask("POST", "/v1/invitations", 403, json={"email": "friend@hub.example"})
    head, payload, signature = member.tokens["access_token"].split(".")
    forged = {"Authorization": f"Bearer {head}.{payload}.{signature[::-1]}"}
    assert requests.get(f"{platform.url}/v1/members/{member.id}", headers=forged, timeout=5).status_code == 401
    administrator.ask("PUT", f"/v1/members/{member.id}/roles", json={"roles": ["coworker", "host"]})

    (refused,) = entries(administrator, since(began, of("sign_in", code="sign_in_refused")), outcome="denied")
    assert (refused["status"], refused["actor_id"], refused["network"]) == (401, None, "127.0.0.0/24")
    (forbidden,) = entries(administrator, of("invite_member"), actor_id=member.id)
    assert (forbidden["status"], forbidden["code"], forbidden["outcome"]) == (403, "administrators_only", "denied")
    (stolen,) = entries(administrator, of("show_member", code="token_invalid", subject_id=member.id), outcome="denied")
    assert (stolen["actor_id"], stolen["subject_id"]) == (None, member.id)
    (done,) = entries(administrator, of("set_member_roles", outcome="done"), actor_id=administrator.id)
    assert (done["subject_id"], done["network"]) == (member.id, "127.0.0.0/24")
    assert done["before"] == {"roles": ["coworker"], "status": "active"}
    assert done["after"] == {"roles": ["coworker", "host"], "status": "active"}
    for each in (refused, forbidden, stolen, done):
        assert began <= datetime.fromisoformat(each["at"]) <= clock.now()

    member.ask("GET", "/v1/audit", 403)
    entries(administrator, of("list_audit_entries", outcome="denied"), actor_id=member.id)
    page = administrator.get("/v1/audit", params={"actor_id": administrator.id, "outcome": "done"})["items"]
    assert "list_audit_entries" in {each["operation"] for each in page}, "who reads it is in it, too"


def test_the_first_administrator_is_in_it(platform: Platform) -> None:
    first = platform.administrator
    (made,) = entries(first, of("add_administrator", subject_id=first.id), outcome="done")
    assert (made["actor_id"], made["method"], made["network"]) == (None, None, None)


def test_what_is_private_is_in_no_log_no_message_and_no_entry(platform: Platform, amqp_uri: str) -> None:
    """Canaries: words that occur nowhere else, put wherever a person may put something private."""

    def canary(name: str) -> str:
        return f"{name}{secrets.token_hex(6)}"

    community, ours = Listener(amqp_uri), Listener(amqp_uri, exchange="private")
    email, password, guess = f"{canary('mail')}@hub.example", canary("pass word "), canary("guess word ")
    what_i_do, said = canary("what i do "), canary("said ")
    code = platform.administrator.post("/v1/invitations", {"email": email})["code"]
    person = {"code": code, "name": "Amara", "password": password, "what_i_do": what_i_do}
    assert requests.post(f"{platform.url}/v1/members", json=person, timeout=10).status_code == 201
    for wrong in (guess, PASSWORD):
        credentials = {"email": email, "password": wrong}
        assert requests.post(f"{platform.url}/v1/sessions", json=credentials, timeout=10).status_code == 401
    right = {"email": email, "password": password}
    tokens = requests.post(f"{platform.url}/v1/sessions", json=right, timeout=10).json()
    member = Member(platform.url, {}, tokens)
    voice = member.post("/v1/feedback", {"text": said, "anonymous": True})
    member.ask("POST", "/v1/invitations", 403, json={"email": email})
    member.ask("PATCH", "/v1/me", 422, json={"what_i_do": what_i_do, "country": what_i_do})
    claim = {"claim_code": voice["claim_code"]}
    assert requests.post(f"{platform.url}/v1/feedback/claims", json=claim, timeout=10).status_code == 200
    forged = tokens["access_token"][:-4] + "AAAA"
    headers = {"Authorization": f"Bearer {forged}"}
    assert requests.get(f"{platform.url}/v1/me?email={email}", headers=headers, timeout=10).status_code == 401
    renewal = {"refresh_token": tokens["refresh_token"]}
    assert requests.post(f"{platform.url}/v1/sessions/refresh", json=renewal, timeout=10).status_code == 201
    again = right | {"device_token": tokens["device_token"]}
    assert requests.post(f"{platform.url}/v1/sessions", json=again, timeout=10).status_code == 201
    entries(platform.administrator, of("invite_member", outcome="denied"), actor_id=member.id)

    issued = [code, voice["claim_code"], forged, *(tokens[f"{each}_token"] for each in ("access", "refresh", "device"))]
    private = [email, password, guess, what_i_do, *issued]
    for process in (*platform.SERVICES, "gateway"):
        log = platform.processes.log(process)
        assert not [word for word in [*private, said] if word in log], process
    community.wait(3)  # who joined, what was said, who was told
    ours.wait(7)  # an invitation, their address, their name, two wrong passwords, a denied invitation, a forged token
    (reach,) = [each for each in ours.raw if b"members.reach_changed" in each.body]
    assert email in str(reach.body), "to the platform alone, for its mail to them"
    others = [each for listener in (community, ours) for each in listener.raw if each is not reach]
    told = str([(each.body, each.properties) for each in others])
    assert not [word for word in private if word != email and word in str(reach.body)]
    assert not [word for word in private if word in told]
    assert said in str(community.heard), "by design, and so that this test can fail"
    assert not [word for word in (said, voice["id"]) if word in str(ours.heard)]
    environment = platform.processes.environment
    with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"]) as client:
        rows = str(list(client[environment["MONGO_DATABASE_PREFIX"] + "members"].audit.find()))
    assert member.id in rows
    assert not [word for word in [*private, said, "127.0.0.1"] if word in rows]
    community.close()
    ours.close()


def test_staff_who_read_what_others_said_are_in_it(platform: Platform) -> None:
    host, author = platform.join("Host", ("host",)), platform.join("Amara")
    own, other = (member.post("/v1/feedback", {"text": "A lamp, please."})["id"] for member in (host, author))
    for _ in range(3):
        for id in (own, other):
            host.get(f"/v1/feedback/{id}")
        host.get("/v1/feedback")
        host.get("/v1/feedback?mine=true")
        author.get("/v1/feedback")
        author.get(f"/v1/feedback/{other}")
    (shown,) = entries(platform.administrator, of("show_voice"), actor_id=host.id)
    (listed,) = entries(platform.administrator, of("list_voices"), actor_id=host.id)
    assert (shown["subject_id"], shown["outcome"], listed["subject_id"]) == (other, "done", None)
    host.get(f"/v1/feedback/{other}")
    assert not platform.administrator.get("/v1/audit", params={"actor_id": author.id})["items"]


def test_a_look_at_what_is_somebody_elses_is_a_denial(platform: Platform) -> None:
    stranger, author = platform.join("Stranger", ("coworker",)), platform.join("Amara", ("host",))
    voice = author.post("/v1/feedback", {"text": "A lamp, please."})["id"]
    stranger.ask("GET", f"/v1/feedback/{voice}", 404)
    stranger.ask("GET", f"/v1/feedback/{stranger.id}", 404)
    (denied,) = entries(platform.administrator, of("show_voice", outcome="denied"), actor_id=stranger.id)
    assert (denied["subject_id"], denied["status"], denied["code"]) == (voice, 404, "not_found")


def test_a_deed_whose_answer_was_lost_is_in_it(platform: Platform, amqp_uri: str) -> None:
    """The gateway does not know the result of the deed. The service that saved it does."""
    administrator, member = platform.join("Root", ("administrator",)), platform.join("Amara")
    port = free_port()
    with Proxy(amqp_uri) as between:
        platform.open_door("half open", port, AMQP_URI=between.uri)
        behind = administrator.at(f"http://127.0.0.1:{port}")
        platform.ready(behind.url)
        between.swallows = b'"roles":["coworker","mentor"]'  # of the answer that comes back, and all that follows
        behind.ask("PUT", f"/v1/members/{member.id}/roles", 503, json={"roles": ["mentor", "coworker"]})
        between.cut()
        (unknown,) = entries(administrator, of("set_member_roles"), outcome="unknown", actor_id=administrator.id)
        platform.processes.end("half open")
    (done,) = entries(administrator, of("set_member_roles", subject_id=member.id), outcome="done")
    assert (unknown["subject_id"], unknown["status"], unknown["after"]) == (member.id, 503, None)
    assert done["after"]["roles"] == ["coworker", "mentor"]


def test_no_change_of_a_profile_pushes_a_deed_out_of_the_history(platform: Platform) -> None:
    member = platform.join("Amara")
    platform.administrator.ask("PUT", f"/v1/members/{member.id}/roles", json={"roles": ["coworker", "trainer"]})
    for number in range(60):
        member.ask("PATCH", "/v1/me", json={"pronouns": f"they {number}"})
    environment = platform.processes.environment
    with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"]) as client:
        account = client[environment["MONGO_DATABASE_PREFIX"] + "members"].accounts.find_one({"_id": member.id})
    assert "roles: coworker, trainer" in {deed["what"] for deed in (account or {})["history"]}
