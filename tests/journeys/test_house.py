"""The hub's own profile: an administrator writes it, everybody reads it, and services with a copy hear of it."""

from collections.abc import Iterator
from typing import Any

import pymongo
import pytest
import requests

from tests.journeys.test_audit import entries, of
from tests.journeys.test_replay import hub
from tests.rig.processes import Platform, until
from tests.rig.wire import Listener


@pytest.fixture(scope="module")
def platform(own_platform: Platform) -> Platform:
    return own_platform


@pytest.fixture
def copies(platform: Platform) -> Iterator[Any]:
    """The copy of the hub that notifications keeps."""
    environment = platform.processes.environment
    with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"]) as client:
        yield client[environment["MONGO_DATABASE_PREFIX"] + "notifications"].house


def shown(platform: Platform) -> requests.Response:
    """The hub as it is shown to somebody who has not signed in."""
    answer = requests.get(f"{platform.url}/v1/house", timeout=10)
    assert answer.status_code == 200, answer.text
    return answer


def asked(platform: Platform) -> float:
    lines = requests.get(f"{platform.url}/metrics", timeout=5).text.splitlines()
    counted = [each for each in lines if each.startswith('hearth_gateway_rpc_seconds_count{capability="members.house"')]
    return sum(float(each.rpartition(" ")[2]) for each in counted)


def test_an_administrator_furnishes_the_house(platform: Platform, amqp_uri: str, copies: Any) -> None:
    partner, root = Listener(amqp_uri, "members.house_changed"), platform.administrator
    before = shown(platform)
    assert (before.json()["name"], before.json()["version"]) == ("Our hub", 0)
    seen = {"If-Match": before.headers["ETag"]}
    change = {"name": "Lake Hub", "zone": "Africa/Nairobi", "languages": ["de", "en"]}
    changed = root.ask("PATCH", "/v1/house", json=change, headers=seen)
    assert changed == before.json() | change | {"version": 1}
    assert root.ask("PATCH", "/v1/house", 412, json={"name": "Other"}, headers=seen)["code"] == "changed_meanwhile"
    (heard,) = partner.wait(1)
    assert {name: heard["data"][name] for name in change} == change
    until(lambda: shown(platform).json() == changed)
    until(lambda: copies.find_one({"language": "de", "zone": "Africa/Nairobi"}))
    (done,) = entries(root, of("change_house", outcome="done"))
    assert (done["actor_id"], done["before"]["zone"], done["after"]["zone"]) == (root.id, "UTC", "Africa/Nairobi")
    assert "Lake Hub" not in str(done)
    partner.close()


def test_who_is_no_administrator_is_refused(platform: Platform) -> None:
    before = shown(platform).json()
    for role in ("coworker", "host"):
        member = platform.join("Amara", (role,))
        assert member.ask("PATCH", "/v1/house", 403, json={"name": "Mine"})["code"] == "administrators_only"
        entries(platform.administrator, of("change_house", outcome="denied"), actor_id=member.id)
    assert requests.patch(f"{platform.url}/v1/house", json={"name": "Mine"}, timeout=10).status_code == 401
    assert shown(platform).json() == before


def test_what_would_not_work_is_refused_by_its_field(platform: Platform) -> None:
    pale = {"colours": {"background": "#ffffff", "text": "#1c1c1c", "accent": "#ffcc00"}}
    for wrong, field in (({"zone": "Mars/Base"}, "zone"), ({"joining": "open"}, "joining"), (pale, "colours.accent")):
        (error,) = platform.administrator.ask("PATCH", "/v1/house", 422, json=wrong)["errors"]
        assert error["field"] == field


def test_many_who_read_it_ask_once(platform: Platform) -> None:
    shown(platform)
    before = asked(platform)
    for _ in range(10):
        shown(platform)
    assert asked(platform) <= before + 1, "the gateway asks once a minute by itself"


def test_a_copy_is_rebuilt(platform: Platform, copies: Any) -> None:
    changed = platform.administrator.ask("PATCH", "/v1/house", json={"zone": "Europe/Malta"})
    copy = until(lambda: copies.find_one({"zone": changed["zone"]}))
    copies.delete_many({})
    hub(platform.processes.environment, "replay", "members")
    assert until(lambda: copies.find_one({})) == copy
