"""A copy can be thrown away: the members service announces all again, and the copy becomes exactly as it was."""

import os
import subprocess
import sys
import time
from typing import Any

import pymongo
import pytest

from tests.rig.processes import ROOT, Platform, until


@pytest.fixture(scope="module")
def platform(own_platform: Platform) -> Platform:
    return own_platform


def test_the_copy_of_the_members_is_rebuilt_as_it_was(platform: Platform) -> None:
    changed = platform.join("Amara", tags_have=["bread"])
    changed.ask("PATCH", "/v1/me", json={"tags_want": ["printing"]})
    changed.ask("PATCH", "/v1/me", json={"pronouns": "she/her"})
    promoted = platform.join("Omar")
    platform.administrator.ask("PUT", f"/v1/members/{promoted.id}/roles", json={"roles": ["mentor"]})
    environment = platform.processes.environment
    with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"]) as client:
        people = client[environment["MONGO_DATABASE_PREFIX"] + "notifications"].people

        def count_is(condition: dict[str, Any], count: int) -> None:
            deadline = time.monotonic() + 20
            while people.count_documents(condition) != count:
                assert time.monotonic() < deadline, list(people.find())
                time.sleep(0.05)

        count_is({"$or": [{"tags": "printing"}, {"roles": "mentor"}]}, 2)
        before = list(people.find().sort("_id", 1))
        people.delete_many({})
        hub(environment, "replay", "members")
        count_is({}, len(before))
        assert list(people.find().sort("_id", 1)) == before
        hub(environment, "replay", "members")
        time.sleep(1)
        assert list(people.find().sort("_id", 1)) == before


def test_the_copies_of_names_are_rebuilt(platform: Platform) -> None:
    platform.join("Amara").ask("PATCH", "/v1/me", json={"name": "Amara Okafor"})
    environment = platform.processes.environment
    with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"]) as client:
        databases = [client[f"{environment['MONGO_DATABASE_PREFIX']}{name}"] for name in ("events", "feedback")]

        def names() -> list[list[str]]:
            return [[each["name"] for each in database.people.find().sort("_id", 1)] for database in databases]

        until(lambda: "Amara Okafor" in names()[0] and names()[0] == names()[1])
        before = names()
        for database in databases:
            database.people.delete_many({})
        hub(environment, "replay", "members")
        until(lambda: names() == before)


def test_how_members_are_reached_is_rebuilt(platform: Platform) -> None:
    platform.join("Amara", zone="Africa/Nairobi").ask("PATCH", "/v1/me", json={"language": "de"})
    gone = platform.join("Bo", language="en")
    platform.administrator.ask("DELETE", f"/v1/members/{gone.id}", 204)
    environment = platform.processes.environment
    with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"]) as client:
        rows = client[environment["MONGO_DATABASE_PREFIX"] + "notifications"].reach

        def reach() -> list[dict[str, Any]]:
            """The rows without their sequences: a repeated announcement gets the newest sequence of the member."""
            return list(rows.find({}, {"sequence": False}).sort("_id", 1))

        nowhere = {"_id": gone.id, "email": None, "language": "", "zone": ""}
        until(lambda: nowhere in reach() and rows.find_one({"language": "de", "zone": "Africa/Nairobi"}))
        before = reach()
        rows.delete_many({})
        hub(environment, "replay", "members")
        until(lambda: reach() == before)


def hub(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.hub", *arguments],
        cwd=ROOT,
        env={**environment, "HOME": os.environ.get("HOME", "/")},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout
