"""Rights that are taken away: they end everywhere, soon, and never leave a hub without an administrator."""

import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.journeys.stream import follow
from tests.rig.processes import PASSWORD, Member, Platform, until

OTHER = "another sentence, just as long"
WITHIN = 60.0  # seconds, in which access tokens end


def address() -> str:
    return f"{secrets.token_hex(6)}@hub.example"


def join(platform: Platform, code: str, status: int = 201) -> Any:
    person = {"code": code, "name": "Amara", "password": PASSWORD}
    answer = requests.post(f"{platform.url}/v1/members", json=person, timeout=10)
    assert answer.status_code == status, answer.text
    return answer.json()


def sign_in(platform: Platform, email: str, password: str = PASSWORD) -> requests.Response:
    credentials = {"email": email, "password": password}
    return requests.post(f"{platform.url}/v1/sessions", json=credentials, timeout=10)


def refresh(member: Member) -> requests.Response:
    body = {"refresh_token": member.tokens["refresh_token"]}
    return requests.post(f"{member.url}/v1/sessions/refresh", json=body, timeout=10)


def status(member: Member, path: str = "/v1/me") -> int:
    headers = {"Authorization": f"Bearer {member.tokens['access_token']}"}
    return requests.get(member.url + path, headers=headers, timeout=10).status_code


def stir(platform: Platform) -> None:
    """Change the administrator's tags. The gateways hear of it and ask at once whose access has ended."""
    platform.administrator.ask("PATCH", "/v1/me", json={"tags_want": [secrets.token_hex(4)]})


def test_of_two_invitations_of_an_address_the_later_counts(platform: Platform) -> None:
    email = address()
    first = platform.administrator.post("/v1/invitations", {"email": email, "roles": ["administrator"]})
    later = platform.administrator.post("/v1/invitations", {"email": email.upper(), "roles": ["coworker"]})
    assert (later["id"], later["code"]) == (first["id"], first["code"]), "the same one, so that no other lives on"
    assert join(platform, first["code"])["roles"] == ["coworker"]
    assert "has been used" in join(platform, later["code"], 422)["detail"]


def test_invitations_end_with_the_rights_of_who_sent_them(platform: Platform) -> None:
    dismissed = platform.join("Root", ("administrator",))
    codes = [
        dismissed.post("/v1/invitations", {"email": address(), "roles": ["administrator"]})["code"] for _ in range(2)
    ]
    platform.administrator.ask("PUT", f"/v1/members/{dismissed.id}/roles", json={"roles": ["coworker"]})
    assert "withdrawn" in join(platform, codes[0], 422)["detail"]
    platform.administrator.ask("PUT", f"/v1/members/{dismissed.id}/roles", json={"roles": ["administrator"]})
    assert "withdrawn" in join(platform, codes[1], 422)["detail"], "the role comes back, what it sent does not"


def test_invitations_are_listed_sent_again_and_withdrawn(platform: Platform) -> None:
    root, email = platform.administrator, address()
    made = root.post("/v1/invitations", {"email": email, "roles": ["mentor"]})
    (listed,) = [each for each in root.get("/v1/invitations")["items"] if each["email"] == email]
    assert (listed["id"], listed["state"], listed["by"], listed["used_by"]) == (made["id"], "open", root.id, None)
    assert made["code"] not in str(root.get("/v1/invitations"))
    again = root.post(f"/v1/invitations/{made['id']}/resend", status=200)
    assert (again["code"], again["roles"]) == (made["code"], ["mentor"])
    assert again["expires_at"] > made["expires_at"]
    root.ask("DELETE", f"/v1/invitations/{made['id']}", 204)
    assert "withdrawn" in join(platform, made["code"], 422)["detail"]
    root.ask("DELETE", f"/v1/invitations/{made['id']}", 409)
    root.post(f"/v1/invitations/{made['id']}/resend", status=409)
    anew = root.post("/v1/invitations", {"email": email})
    assert anew["code"] != made["code"]
    assert join(platform, anew["code"])["roles"] == ["coworker"]


def test_ten_who_join_at_once_with_one_invitation_are_one(platform: Platform) -> None:
    code = platform.administrator.post("/v1/invitations", {"email": address()})["code"]
    person = {"code": code, "name": "Amara", "password": PASSWORD}
    with ThreadPoolExecutor(10) as pool:
        found = list(
            pool.map(lambda _: requests.post(f"{platform.url}/v1/members", json=person, timeout=10), range(10))
        )
    assert sorted({answer.status_code for answer in found} - {409, 422}) == [201]
    assert [answer.status_code for answer in found].count(201) == 1


def test_a_changed_password_ends_the_other_sessions(platform: Platform) -> None:
    here = platform.join("Amara")
    email = here.profile["email"]
    there = platform.sign_in(email)
    wrong = {"present": OTHER, "password": OTHER}
    assert here.ask("PUT", "/v1/me/password", 401, json=wrong)["code"] == "password_refused"
    here.ask("PUT", "/v1/me/password", 204, json={"present": PASSWORD, "password": OTHER})
    assert refresh(there).status_code == 401
    assert refresh(here).status_code == 201
    assert sign_in(platform, email).status_code == 401
    assert sign_in(platform, email, OTHER).status_code == 201
    stir(platform)
    until(lambda: status(there) == 401, WITHIN)
    assert status(here) == 200


def test_guesses_at_the_present_password_are_counted(platform: Platform) -> None:
    member = platform.join("Amara")
    for _ in range(5):
        member.ask("PUT", "/v1/me/password", 401, json={"present": OTHER, "password": OTHER})
    right = {"present": PASSWORD, "password": OTHER}
    assert member.ask("PUT", "/v1/me/password", 429, json=right)["code"] == "too_many_attempts"


@pytest.fixture(params=["by an administrator", "on the machine"])
def issue(request: pytest.FixtureRequest, platform: Platform) -> Callable[[Member], str]:
    """A function that makes a code to reset a password, in each of the two ways."""
    if request.param == "on the machine":
        return lambda member: operator(platform, member.profile["email"])
    return lambda member: str(platform.administrator.post(f"/v1/members/{member.id}/password-reset")["code"])


def operator(platform: Platform, email: str) -> str:
    """Run the operator's command; return the code that it prints."""
    started = platform.processes.start("reset", "-m", "services.members", "reset-password", "--email", email)
    assert started.wait(60) == 0
    return platform.processes.log("reset").split()[-1]


def reset(platform: Platform, code: str, status: int = 204, password: str = OTHER) -> Any:
    body = {"code": code, "password": password}
    answer = requests.post(f"{platform.url}/v1/password-resets", json=body, timeout=10)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def test_a_stolen_password_is_of_no_more_use_after_a_reset(platform: Platform, issue: Callable[[Member], str]) -> None:
    thief = platform.join("Amara")
    superseded, code = issue(thief), issue(thief)
    assert reset(platform, superseded, 422)["code"] == "invalid"
    reset(platform, code)
    assert "not known or has been used" in reset(platform, code, 422)["detail"]
    assert refresh(thief).status_code == 401
    assert sign_in(platform, thief.profile["email"]).status_code == 401
    assert sign_in(platform, thief.profile["email"], OTHER).status_code == 201
    stir(platform)
    until(lambda: status(thief) == 401, WITHIN)


def test_a_code_to_reset_ends_with_the_rights_of_who_made_it(platform: Platform) -> None:
    dismissed, victim = platform.join("Root", ("administrator",)), platform.join("Other", ("administrator",))
    code = dismissed.post(f"/v1/members/{victim.id}/password-reset")["code"]
    platform.administrator.ask("PUT", f"/v1/members/{dismissed.id}/roles", json={"roles": ["coworker"]})
    assert "withdrawn" in reset(platform, code, 422)["detail"]
    assert sign_in(platform, victim.profile["email"]).status_code == 201


def test_a_suspended_members_tokens_end_at_every_gateway(platform: Platform) -> None:
    member = platform.join("Amara", ("host",), tags_have=["bread"])
    suspension = f"/v1/members/{member.id}/suspension"
    with platform.other_door() as url, follow(member) as reader:
        doors = [member, member.at(url)]
        assert [status(each) for each in doors] == [200, 200]
        why = {"reason": "Somebody else uses this account."}
        shut = platform.administrator.ask("PUT", suspension, json=why)
        began = time.monotonic()
        assert shut["status"] == "suspended"
        until(lambda: [status(each) for each in doors] == [401, 401], WITHIN)
        reader.end()
        print(f"The tokens ended after {time.monotonic() - began:.1f} s.")
        assert refresh(member).status_code == 401
        refused = sign_in(platform, member.profile["email"])
        assert (refused.status_code, refused.json()["code"]) == (403, "suspended")
        assert sign_in(platform, member.profile["email"], OTHER).status_code == 401, "only who knows it is told"
        _hidden(platform, member)
        platform.administrator.ask("DELETE", suspension)
        back = platform.sign_in(member.profile["email"])
        assert [status(each) for each in (back, back.at(url))] == [200, 200], "no gateway believes what is over"
        assert back.profile["roles"] == ["host"]
        until(lambda: status(member) == 401, WITHIN)


def _hidden(platform: Platform, member: Member) -> None:
    """A suspended member is visible to administrators only, and receives no notifications."""
    reader = platform.join("Reader", ("host",))
    reader.ask("GET", f"/v1/members/{member.id}", 404)
    assert platform.administrator.get(f"/v1/members/{member.id}")["status"] == "suspended"
    assert not reader.get("/v1/members", params={"tag": "bread"})["items"]
    listed = platform.administrator.get("/v1/members", params={"status": "suspended", "limit": 100})["items"]
    assert member.id in [each["id"] for each in listed]
    reader.ask("GET", "/v1/members?status=suspended", 403)


def test_a_removed_member_is_gone_and_can_be_invited_anew(platform: Platform) -> None:
    member = platform.join("Amara", ("coworker", "host"))
    email = member.profile["email"]
    voice = member.post("/v1/feedback", {"text": "A lamp, please."})
    platform.administrator.ask("DELETE", f"/v1/members/{member.id}", 204)
    assert refresh(member).status_code == 401
    assert sign_in(platform, email).json()["code"] == "sign_in_refused"
    platform.administrator.ask("GET", f"/v1/members/{member.id}", 404)
    platform.administrator.ask("DELETE", f"/v1/members/{member.id}", 404)
    assert platform.administrator.get(f"/v1/feedback/{voice['id']}")["author_id"] == member.id
    until(lambda: status(member) == 401, WITHIN)
    code = platform.administrator.post("/v1/invitations", {"email": email})["code"]
    assert join(platform, code)["id"] != member.id


def test_a_dismissed_administrator_has_no_rights_left_within_a_minute(platform: Platform) -> None:
    dismissed, author = platform.join("Root", ("administrator",)), platform.join("Amara")
    voice = author.post("/v1/feedback", {"text": "A lamp, please."})
    event = platform.join("Host", ("host",)).post("/v1/events", event_for_everyone())
    assert status(dismissed, f"/v1/events/{event['id']}") == 200
    platform.administrator.ask("PUT", f"/v1/members/{dismissed.id}/roles", json={"roles": ["coworker"]})
    until(lambda: status(dismissed, f"/v1/feedback/{voice['id']}") == 401, WITHIN)
    fresh = Member(platform.url, {}, refresh(dismissed).json())
    assert status(fresh) == 200
    fresh.ask("GET", f"/v1/feedback/{voice['id']}", 404)
    fresh.ask("GET", f"/v1/events/{event['id']}", 404)


def event_for_everyone() -> dict[str, Any]:
    year = time.gmtime().tm_year + 1
    times = {"starts_at": f"{year}-03-01T10:00:00Z", "ends_at": f"{year}-03-01T11:00:00Z"}
    return {"title": "Café morning", "audience": {"everyone": True}, **times}


def test_an_administrator_ends_the_sessions_of_a_member(platform: Platform) -> None:
    member = platform.join("Amara")
    member.ask("DELETE", f"/v1/members/{member.id}/sessions", 403)
    platform.administrator.ask("DELETE", f"/v1/members/{member.id}/sessions", 204)
    assert refresh(member).status_code == 401
    stir(platform)
    until(lambda: status(member) == 401, WITHIN)
    assert status(platform.sign_in(member.profile["email"])) == 200


def test_whoever_signs_out_is_out_within_a_minute(platform: Platform) -> None:
    """Also where no member changes meanwhile."""
    here = platform.join("Amara")
    there = platform.sign_in(here.profile["email"])
    here.ask("DELETE", "/v1/sessions/current", 204)
    until(lambda: status(here) == 401, WITHIN)
    assert status(there) == 200
