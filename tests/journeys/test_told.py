"""The members who were told of something hear of its changes, and no others do."""

import secrets
from typing import Any

import pymongo

from tests.journeys.test_story import publish
from tests.rig.days import to_come
from tests.rig.processes import Member, Platform, until

WHY = {"reason": "The trainer is ill."}


def known(platform: Platform, member: Member, **facts: list[str]) -> None:
    """Wait until notifications has heard how somebody is now."""
    environment = platform.processes.environment
    with pymongo.MongoClient[dict[str, Any]](environment["MONGO_URI"]) as client:
        people = client[environment["MONGO_DATABASE_PREFIX"] + "notifications"].people
        until(lambda: people.find_one({"_id": member.id, **facts}))


def wants(platform: Platform, member: Member, *tags: str) -> None:
    member.ask("PATCH", "/v1/me", json={"tags_want": list(tags)})
    known(platform, member, tags=list(tags))


def has(platform: Platform, member: Member, role: str) -> None:
    platform.administrator.ask("PUT", f"/v1/members/{member.id}/roles", json={"roles": [role]})
    known(platform, member, roles=[role])


def cancel(member: Member, event: dict[str, Any]) -> None:
    member.post(f"/v1/events/{event['id']}/cancel", WHY, status=200)


def titles(member: Member, event: dict[str, Any]) -> list[str]:
    """The titles that a member reads about an event, newest first, each up to its colon."""
    lines = member.get("/v1/notifications?limit=100")["items"]
    return [each["title"].partition(":")[0] for each in lines if each["link"] == f"/v1/events/{event['id']}"]


def told_all(platform: Platform, member: Member) -> None:
    """Wait until what was announced before this has been told: the handlers take messages in turn."""
    tag = secrets.token_hex(4)
    wants(platform, member, tag)
    event = publish(platform.administrator, audience={"tags": [tag]})
    until(lambda: titles(member, event))
    cancel(platform.administrator, event)
    until(lambda: len(titles(member, event)) == 2)


def test_who_drops_a_tag_hears_of_the_cancellation_and_who_takes_it_does_not(platform: Platform) -> None:
    tag = secrets.token_hex(4)
    trainer = platform.join("Tariq", ("trainer",))
    told, later, both = platform.join("Tina", tags_want=[tag]), platform.join("Lena"), platform.join(tags_have=[tag])
    event = publish(trainer, audience={"tags": [tag]})
    until(lambda: titles(told, event))
    wants(platform, told)
    wants(platform, later, tag)
    cancel(trainer, event)
    until(lambda: titles(told, event) == titles(both, event) == ["Cancelled", "New"])
    told_all(platform, platform.join())
    assert titles(later, event) == []


def test_a_correction_reaches_those_who_know_of_the_event_with_the_old_and_the_new(platform: Platform) -> None:
    tag = secrets.token_hex(4)
    trainer, told = platform.join("T", ("trainer",)), platform.join("Tina", tags_want=[tag])
    later = platform.join("Lena")
    event = publish(trainer, audience={"tags": [tag]})
    until(lambda: titles(told, event) == ["New"])
    wants(platform, later, tag)
    until(lambda: later.get(f"/v1/events/{event['id']}")["place"] == "The café")
    trainer.ask("PATCH", f"/v1/events/{event['id']}", json={"place": "The attic"})
    until(lambda: titles(told, event) == ["Changed", "New"])
    (line, *_) = told.get("/v1/notifications")["items"]
    assert (line["kind"], line["body"]) == ("events.changed", "Place: The attic (before: The café)")
    assert titles(trainer, event) == [], "nobody is told of their own deed"
    moved = {"starts_at": to_come(31).isoformat(), "ends_at": to_come(31, hour=10).isoformat()}
    platform.administrator.ask("PATCH", f"/v1/events/{event['id']}", json=moved)
    until(lambda: titles(told, event) == ["Changed", "Changed", "New"])
    until(lambda: titles(trainer, event) == ["Changed"])
    trainer.ask("PATCH", f"/v1/events/{event['id']}", json={"description": "With cake."})
    until(lambda: later.get(f"/v1/events/{event['id']}")["description"] == "With cake.", 10)
    told_all(platform, platform.join())
    assert (titles(later, event), len(titles(told, event))) == ([], 3), "a new description is told to nobody"


def test_it_is_the_same_with_roles(platform: Platform) -> None:
    trainer, told, later = platform.join("T", ("trainer",)), platform.join("Mo", ("mentor",)), platform.join("Lena")
    event = publish(trainer, audience={"roles": ["mentor"]})
    until(lambda: titles(told, event))
    has(platform, told, "coworker")
    has(platform, later, "mentor")
    told, later = (platform.sign_in(each.profile["email"]) for each in (told, later))
    cancel(trainer, event)
    until(lambda: titles(told, event) == ["Cancelled", "New"])
    told_all(platform, platform.join())
    assert titles(later, event) == []


def test_of_what_was_for_everyone_those_hear_who_belonged_when_it_was_published(platform: Platform) -> None:
    trainer, told = platform.join("T", ("trainer",)), platform.join("Tina")
    event = publish(trainer, audience={"everyone": True})
    until(lambda: titles(told, event))
    later = platform.join("Lena")
    cancel(platform.administrator, event)
    until(lambda: titles(told, event) == ["Cancelled", "New"])
    assert titles(trainer, event) == ["Cancelled"], "who published it hears that somebody else cancelled it"
    assert titles(platform.administrator, event) == ["New"], "nobody is told of their own deed"
    assert titles(later, event) == []


def test_who_published_hears_when_somebody_else_cancels(platform: Platform) -> None:
    tag = secrets.token_hex(4)
    trainer, told = platform.join("T", ("trainer",), tags_have=[tag]), platform.join("Tina", tags_want=[tag])
    root = platform.join("Root", ("administrator",), tags_want=[tag])
    event = publish(trainer, audience={"tags": [tag]})
    until(lambda: titles(told, event) == titles(root, event) == ["New"])
    trainer.ask("PATCH", "/v1/me", json={"tags_have": []})
    known(platform, trainer, tags=[])
    cancel(root, event)
    until(lambda: titles(told, event) == ["Cancelled", "New"])
    until(lambda: titles(trainer, event) == ["Cancelled"])
    told_all(platform, platform.join())
    assert titles(root, event) == ["New"]


def test_a_host_who_is_not_in_the_audience_hears_that_somebody_else_cancelled(platform: Platform) -> None:
    tag = secrets.token_hex(4)
    trainer, told = platform.join("T", ("trainer",)), platform.join("Tina", tags_want=[tag])
    event, own = (publish(trainer, audience={"tags": [tag]}) for _ in range(2))
    until(lambda: titles(told, event) == titles(told, own) == ["New"])
    cancel(platform.administrator, event)
    cancel(trainer, own)
    until(lambda: titles(trainer, event) == ["Cancelled"])
    until(lambda: titles(told, event) == titles(told, own) == ["Cancelled", "New"])
    told_all(platform, platform.join())
    assert titles(trainer, own) == [], "nobody is told of their own deed"
