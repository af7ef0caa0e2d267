"""Several members act at once. No change is lost, and each member sees their own latest change."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.rig.days import times, to_come
from tests.rig.processes import Member, Platform, free_port

LATE = 1000  # days: later than the events of other tests
DRAFT = {"title": "Café morning", "audience": {"everyone": True}, **times(LATE)}


def change(editor: Member, path: str, tag: str, **fields: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {editor.tokens['access_token']}", "If-Match": tag}
    return requests.patch(editor.url + path, json=fields, headers=headers, timeout=10)


def tag(reader: Member, path: str) -> str:
    headers = {"Authorization": f"Bearer {reader.tokens['access_token']}"}
    return requests.get(reader.url + path, headers=headers, timeout=10).headers["ETag"]


def test_of_two_editors_who_saw_the_same_one_is_told_and_nothing_is_lost(platform: Platform) -> None:
    host = platform.join("Tariq", ("host",))
    path = f"/v1/events/{host.post('/v1/events', DRAFT)['id']}"
    for number in range(20):
        seen = tag(host, path)
        edits = ({"place": f"The café, table {number}"}, {"description": f"Bring cup {number}"})
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(lambda fields, seen=seen: change(host, path, seen, **fields), edits))
        assert sorted(answer.status_code for answer in found) == [200, 412]
        late = next(answer for answer in found if answer.status_code == 412)
        assert late.json()["code"] == "changed_meanwhile"
        again = change(host, path, tag(host, path), **edits[found.index(late)])
        assert again.status_code == 200
        assert edits[0] | edits[1] == {name: again.json()[name] for name in ("place", "description")}
        assert again.headers["ETag"] == tag(host, path)


def test_roles_and_profiles_are_guarded_alike(platform: Platform) -> None:
    member = platform.join("Amara")
    seen_by_others, seen_by_them = tag(platform.administrator, f"/v1/members/{member.id}"), tag(member, "/v1/me")
    member.ask("PATCH", "/v1/me", json={"pronouns": "she/her"}, headers={"If-Match": seen_by_them})
    roles = {"json": {"roles": ["coworker", "mentor"]}, "headers": {"If-Match": seen_by_others}}
    refused = platform.administrator.ask("PUT", f"/v1/members/{member.id}/roles", 412, **roles)
    assert refused["code"] == "changed_meanwhile"
    member.ask("PATCH", "/v1/me", 412, json={"pronouns": "they"}, headers={"If-Match": seen_by_them})
    assert member.get("/v1/me")["pronouns"] == "she/her"


@pytest.fixture
def doors(platform: Platform) -> Any:
    """Two gateways, each with two workers."""
    urls = []
    for name in ("gateway-a", "gateway-b"):
        port = free_port()
        platform.open_door(name, port, WEB_CONCURRENCY="2", STOP_NOTICE="0")
        urls.append(f"http://127.0.0.1:{port}")
    for name in ("gateway-a", "gateway-b"):
        platform.processes.until(name, "broker connected")
    yield urls
    for name in ("gateway-a", "gateway-b"):
        platform.processes.end(name)


def at(url: str, member: Member) -> Member:
    return Member(url, member.profile, member.tokens)


def test_who_publishes_sees_it_at_once_through_any_door(platform: Platform, doors: list[str]) -> None:
    host, reader = platform.join("Tariq", ("host",)), platform.join("Amara")
    listed = {"starts_after": to_come(LATE - 1).isoformat(), "limit": 100}
    for number in range(30):
        writing, reading = (at(url, host) for url in (doors[number % 2], doors[1 - number % 2]))
        at(doors[number % 2], reader).get("/v1/events", params=listed)  # so that there is something kept
        event = writing.post("/v1/events", DRAFT)
        writing.post(f"/v1/events/{event['id']}/publish", status=200)
        assert event["id"] in [each["id"] for each in reading.get("/v1/events", params=listed)["items"]]
        if number % 2:
            writing.post(f"/v1/events/{event['id']}/cancel", {"reason": "Nobody is there."}, status=200)
            assert reading.get(f"/v1/events/{event['id']}")["status"] == "cancelled"


def test_what_many_read_alike_is_asked_for_once_until_it_changes(platform: Platform) -> None:
    host, readers = platform.join("Tariq", ("host",)), [platform.join(f"Reader {number}") for number in range(2)]

    def asked() -> float:
        lines = requests.get(f"{platform.url}/metrics", timeout=5).text.splitlines()
        return sum(
            float(line.rpartition(" ")[2])
            for line in lines
            if line.startswith('hearth_gateway_rpc_seconds_count{capability="events.calendar"')
        )

    late = {"starts_after": to_come(LATE - 1).isoformat(), "limit": 100}

    def listed(reader: Member) -> list[str]:
        return [each["id"] for each in reader.get("/v1/events", params=late)["items"]]

    listed(readers[0])
    before = asked()
    for reader in readers * 5:
        listed(reader)
    assert asked() == before
    secret = host.post("/v1/events", DRAFT)["id"]
    readers[0].ask("GET", f"/v1/events/{secret}", 404)
    assert host.get("/v1/events", params={"status": "draft"})["items"][0]["id"] == secret
    assert readers[0].get("/v1/events", params={"status": "draft"})["items"] == []
    host.post(f"/v1/events/{secret}/publish", status=200)
    platform.known(host)
    for reader in readers:
        reader.inbox(1)  # its audience is told: the message has gone round
        assert secret in listed(reader)
        assert reader.get(f"/v1/events/{secret}")["status"] == "published"
