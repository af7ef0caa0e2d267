"""People's names stand beside their ids, and a name that has changed shows at once, wherever it stands."""

import requests

from tests.journeys.test_story import publish
from tests.rig.processes import Member, Platform, until


def rename(member: Member, name: str) -> None:
    member.ask("PATCH", "/v1/me", json={"name": name})


def test_a_changed_name_shows_in_what_many_read_alike(platform: Platform) -> None:
    host, reader = platform.join("Hanna Weber", ("host",)), platform.join("Amara")
    event = f"/v1/events/{publish(host)['id']}"
    room = {"name": "Meeting room", "audience": {"everyone": True}}
    offering = f"/v1/offerings/{host.post('/v1/offerings', room)['id']}"
    until(lambda: (reader.get(event)["host_name"], reader.get(offering)["steward_name"]) == ("Hanna Weber",) * 2)
    rename(host, "Hanna Okoth")
    until(lambda: (reader.get(event)["host_name"], reader.get(offering)["steward_name"]) == ("Hanna Okoth",) * 2)


def test_those_who_speak_have_names_but_for_the_anonymous(platform: Platform) -> None:
    host, author = platform.join("Hanna Weber", ("host",)), platform.join("Amara Okafor")
    drafts = ({"text": "A lamp, please."}, {"text": "It smells.", "anonymous": True})
    named, anonymous = (author.post("/v1/feedback", draft) for draft in drafts)
    for each in (named, anonymous):
        host.post(f"/v1/feedback/{each['id']}/answers", {"text": "Soon."})
    until(lambda: host.get(f"/v1/feedback/{named['id']}")["author_name"] == "Amara Okafor")
    until(lambda: author.get(f"/v1/feedback/{named['id']}")["answers"][0]["by_name"] == "Hanna Weber")
    assert host.get(f"/v1/feedback/{anonymous['id']}")["author_name"] is None
    claim = {"claim_code": anonymous["claim_code"]}
    outcome = requests.post(f"{platform.url}/v1/feedback/claims", json=claim, timeout=5).json()
    assert [each["by_name"] for each in outcome["answers"]] == ["Hanna Weber"]
    platform.administrator.ask("DELETE", f"/v1/members/{author.id}", 204)
    assert host.get(f"/v1/feedback/{named['id']}")["author_name"] == "Amara Okafor", "it stays beside what they said"


def test_who_invited_and_who_came_have_names(platform: Platform) -> None:
    root = platform.join("Rosa Root", ("administrator",))
    root.post("/v1/invitations", {"email": "rosas.friend@hub.example"})
    (sent,) = [each for each in root.get("/v1/invitations?limit=100")["items"] if each["by"] == root.id]
    assert (sent["by_name"], sent["used_by_name"]) == ("Rosa Root", None)
    came = [each for each in root.get("/v1/invitations?limit=100")["items"] if each["used_by"] == root.id]
    assert [each["used_by_name"] for each in came] == ["Rosa Root"]


def test_the_whole_directory_as_a_spreadsheet_is_for_administrators(platform: Platform) -> None:
    member, root = platform.join("Amara", ("host",)), platform.join("Root", ("administrator",))
    sheet = {"headers": {"Accept": "text/csv"}}
    refused = member.ask("GET", "/v1/members", 403, **sheet)
    assert refused["code"] == "administrators_only"
    assert "page by page" in refused["detail"]
    assert member.get("/v1/members?limit=1")["items"], "a page of it is for everybody"
    headers = {"Authorization": f"Bearer {root.tokens['access_token']}"} | sheet["headers"]
    whole = requests.get(f"{platform.url}/v1/members", headers=headers, timeout=10)
    assert member.id in whole.text
    noted = root.get("/v1/audit", params={"actor_id": root.id, "outcome": "done"})["items"]
    assert "list_members" in {each["operation"] for each in noted}
    denied = until(lambda: root.get("/v1/audit", params={"actor_id": member.id, "outcome": "denied"})["items"])
    assert [(each["operation"], each["code"]) for each in denied] == [("list_members", "administrators_only")]
