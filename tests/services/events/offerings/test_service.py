"""The catalogue as the bus asks it: what is answered, kept and announced."""

from typing import Any

import pytest
from pymongo.errors import ServerSelectionTimeoutError

from services.contracts.catalogue import CATALOGUE
from services.contracts.errors import Conflict, Forbidden, NotFound, Stale
from services.contracts.shapes.events import Offering
from services.events.offerings.service import Offerings
from services.events.people.domain import person
from services.ground.tokens import Caller
from tests.rig.capability import Away, Capability, somebody

ROOM = {"name": "Meeting room", "place": "First floor", "how": "Ask.", "audience": {"everyone": True}}


@pytest.fixture
def offerings(make_store: Any) -> Capability:
    return Capability(Offerings, make_store)


@pytest.fixture
def host() -> Caller:
    return somebody("host")


def said(offerings: Capability) -> dict[str, dict[str, Any]]:
    """The announced messages by type, as the catalogue reads them."""
    return {each["type"]: CATALOGUE[each["type"]].read(each["data"]) for each in offerings.said()}


def test_what_is_added_is_open_announced_and_noted(offerings: Capability, host: Caller) -> None:
    added = offerings.add(host, draft=ROOM)
    Offering().load(added)
    assert (added["status"], added["steward_id"], added["link"]) == ("open", host.id, None)
    told = said(offerings)
    assert set(told) == {"events.offering_opened", "events.noted"}
    opened = told["events.offering_opened"]
    assert (opened["offering_id"], opened["name"], opened["actor_id"]) == (added["id"], "Meeting room", host.id)
    assert told["events.noted"]["operation"] == "add_offering"


def test_a_change_is_announced_if_members_read_it_otherwise(offerings: Capability, host: Caller) -> None:
    id = offerings.add(host, draft=ROOM)["id"]
    said(offerings)
    assert offerings.change(host, offering_id=id, change={"how": "Knock."})["how"] == "Knock."
    assert said(offerings)["events.offering_changed"]["how"] == "Knock."
    offerings.change(host, offering_id=id, change={"audience": {"roles": ["mentor"]}})
    assert set(said(offerings)) == {"events.noted"}


def test_what_is_closed_says_why_and_opens_again(offerings: Capability, host: Caller) -> None:
    id = offerings.add(host, draft=ROOM)["id"]
    said(offerings)
    closed = offerings.close(host, offering_id=id, closing={"reason": "It broke."})
    assert (closed["status"], closed["close_reason"]) == ("closed", "It broke.")
    assert said(offerings)["events.offering_closed"]["reason"] == "It broke."
    with pytest.raises(Conflict):
        offerings.change(host, offering_id=id, change={"how": "Knock."})
    assert offerings.reopen(host, offering_id=id)["status"] == "open"
    assert "events.offering_opened" in said(offerings)


def test_a_refusal_saves_and_announces_nothing(offerings: Capability, host: Caller) -> None:
    id = offerings.add(host, draft=ROOM)["id"]
    said(offerings)
    with pytest.raises(Forbidden):
        offerings.add(somebody("mentor"), draft=ROOM)
    with pytest.raises(Forbidden):
        offerings.close(somebody("coworker"), offering_id=id, closing={"reason": "It broke."})
    with pytest.raises(Stale):
        offerings.change(host, expected={7}, offering_id=id, change={"how": "Knock."})
    with pytest.raises(NotFound):
        offerings.show(host, offering_id="018f2d6e-5b7c-7a3e-9c41-0f2b6d7e8a90")
    assert said(offerings) == {}
    assert offerings.show(somebody("coworker"), offering_id=id)["version"] == 1


def test_the_catalogue_goes_on_where_it_ended_and_lists_what_is_closed_apart(
    offerings: Capability, host: Caller
) -> None:
    ids = [offerings.add(host, draft=ROOM)["id"] for _ in range(5)]
    offerings.close(host, offering_id=ids[2], closing={"reason": "It broke."})
    member, found, cursor = somebody("coworker"), [], None
    while True:
        page = offerings.browse(member, query={"limit": 2, "cursor": cursor})
        found += [each["id"] for each in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert found == sorted(set(ids) - {ids[2]})
    (closed,) = offerings.browse(member, query={"status": "closed"})["items"]
    assert closed["id"] == ids[2]


def test_an_offering_comes_with_the_present_name_of_its_steward(offerings: Capability, host: Caller) -> None:
    offerings.store("people").keep_youngest(person(host.id, "Hanna Weber", 1))
    id = offerings.add(host, draft=ROOM)["id"]
    (listed,) = offerings.browse(host, query={})["items"]
    assert listed["steward_name"] == offerings.show(host, offering_id=id)["steward_name"] == "Hanna Weber"


def test_nothing_is_saved_that_could_not_be_answered(
    offerings: Capability, host: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    id, closed = (offerings.add(host, draft=ROOM)["id"] for _ in range(2))
    offerings.close(host, offering_id=closed, closing={"reason": "It broke."})
    monkeypatch.setattr(offerings.store("people"), "documents", Away())
    for act, given in (
        ("add", {"draft": ROOM}),
        ("change", {"offering_id": id, "change": {"how": "Knock."}}),
        ("close", {"offering_id": id, "closing": {"reason": "It broke."}}),
        ("reopen", {"offering_id": closed}),
    ):
        with pytest.raises(ServerSelectionTimeoutError):
            getattr(offerings, act)(host, **given)
    assert {each["_id"]: each["version"] for each in offerings.store("offerings").rows.find()} == {id: 1, closed: 2}
