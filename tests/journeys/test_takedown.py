"""An administrator takes a voice down: its words are gone, the fact that it existed is kept."""

import secrets
from typing import Any

import pymongo
import requests

from tests.journeys.test_told import titles
from tests.rig.processes import Platform, until
from tests.rig.wire import Listener

WHY = {"reason": "It names a neighbour who never agreed to that."}


def documents(platform: Platform, *services: str) -> dict[str, list[dict[str, Any]]]:
    """All that services remember, by collection."""
    environment = platform.processes.environment
    found = {}
    with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"], tz_aware=True) as client:
        for service in services:
            database = client[environment["MONGO_DATABASE_PREFIX"] + service]
            found |= {f"{service}.{name}": list(database[name].find()) for name in database.list_collection_names()}
    return found


def test_the_words_of_a_voice_that_was_taken_down_are_nowhere(platform: Platform, amqp_uri: str) -> None:
    words = f"my neighbour {secrets.token_hex(6)}"
    author, host = platform.join("Amara"), platform.join("Hanna", ("host",))
    second, stranger = platform.join("Second", ("administrator",)), platform.join("Olga")
    voice = author.post("/v1/feedback", {"text": f"Throw out {words}!"})
    path = f"/v1/feedback/{voice['id']}"
    host.post(f"{path}/answers", {"text": f"Why {words}?"})
    host.ask("PUT", f"{path}/status", json={"status": "decided", "reason": f"Not {words}."})
    until(lambda: len(author.get("/v1/notifications")["items"]) == 2 and second.get("/v1/notifications")["items"])
    assert str(documents(platform, *platform.SERVICES)).count(words) > 5
    for who, status in ((stranger, 404), (author, 403), (host, 403)):
        who.ask("PUT", f"{path}/takedown", status, json=WHY)
    for wrong in ({}, {"reason": "  "}):
        second.ask("PUT", f"{path}/takedown", 422, json=wrong)
    listener = Listener(amqp_uri, "feedback.*")
    taken = second.ask("PUT", f"{path}/takedown", json=WHY)
    assert (taken["status"], taken["reason"], taken["text"]) == ("taken_down", WHY["reason"], "")
    until(lambda: len(author.get("/v1/notifications")["items"]) == 3)
    until(lambda: words not in str(documents(platform, *platform.SERVICES)))
    for reader in (author, host, second):
        found = reader.get(path)
        assert (found["status"], found["text"], [each["text"] for each in found["answers"]]) == ("taken_down", "", [""])
    assert voice["id"] in [each["id"] for each in second.get("/v1/feedback?status=taken_down&limit=100")["items"]]
    token = {"Authorization": f"Bearer {second.tokens['access_token']}", "Accept": "text/csv"}
    sheet = requests.get(f"{platform.url}/v1/feedback", headers=token, timeout=10)
    assert voice["id"] in sheet.text
    assert words not in sheet.text
    newest, *others = author.get("/v1/notifications")["items"]
    assert (newest["title"], newest["body"]) == ("What you said was taken down", WHY["reason"])
    assert {each["title"] for each in others} == {"A voice that was taken down"}
    (line,) = (each for each in second.get("/v1/notifications")["items"] if each["link"] == path)
    assert (line["title"], line["body"]) == ("A voice that was taken down", "")
    (told,) = listener.wait(1)
    assert (told["type"], told["data"]["voice_id"]) == ("feedback.taken_down", voice["id"])
    assert words not in str(told)
    listener.close()
    second.ask("PUT", f"{path}/takedown", 409, json=WHY)
    host.ask("PUT", f"{path}/status", 409, json={"status": "done"})
    host.post(f"{path}/answers", {"text": "Once more."}, status=409)
    (kept,) = (each for each in documents(platform, "feedback")["feedback.voices"] if each["_id"] == voice["id"])
    deed = kept["history"][-1]
    assert (deed["by"], deed["what"], deed["why"]) == (second.id, "taken_down", WHY["reason"])


def test_a_claim_code_shows_that_a_voice_was_taken_down_and_why(platform: Platform) -> None:
    author, words = platform.join("Amara"), f"my neighbour {secrets.token_hex(6)}"
    voice = author.post("/v1/feedback", {"text": words, "anonymous": True})
    platform.administrator.ask("PUT", f"/v1/feedback/{voice['id']}/takedown", json=WHY)
    claim = {"claim_code": voice["claim_code"]}
    outcome = requests.post(f"{platform.url}/v1/feedback/claims", json=claim, timeout=5).json()
    assert outcome == {"status": "taken_down", "reason": WHY["reason"], "answers": [], "text": ""}
    until(lambda: words not in str(documents(platform, *platform.SERVICES)))
    assert titles(author, {"id": voice["id"]}) == []
