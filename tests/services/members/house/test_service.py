"""The house as the bus asks it: what is answered, kept and announced."""

from typing import Any

import pytest

from services.contracts.catalogue import CATALOGUE
from services.contracts.errors import Forbidden, Invalid, Stale
from services.contracts.shapes.house import House as Shown
from services.ground import clock
from services.ground.tokens import Caller
from services.members.accounts import domain as accounts
from services.members.house.service import House
from tests.rig.capability import Capability, somebody


@pytest.fixture
def house(make_store: Any) -> Capability:
    return Capability(House, make_store)


def member(house: Capability, *roles: str) -> Caller:
    """Somebody who belongs to the hub with these roles, and whose token says that they administer it."""
    made = somebody("administrator", network="203.0.113.0/24")
    account = accounts.join(
        {"name": "Amara"}, f"{made.id}@hub.example", list(roles), "hash", id=made.id, now=clock.now()
    )
    house.store("accounts").add(account)
    return made


def test_the_first_change_and_the_next_are_told_and_noted(house: Capability) -> None:
    root = member(house, "administrator")
    before = house.show()
    assert (before["name"], before["version"]) == ("Our hub", 0)
    changed = house.change(root, change={"name": "Lake Hub"}, expected={0})
    assert changed == before | {"name": "Lake Hub", "version": 1}
    assert house.show() == changed
    house.change(root, change={"zone": "Africa/Nairobi"}, expected={1})
    first, first_deed, second, _ = house.said()
    assert [first["type"], first_deed["type"]] == ["members.house_changed", "members.noted"]
    assert [int(each["sequence"]) for each in (first, second)] == [1, 2]
    told = CATALOGUE["members.house_changed"].read(second["data"])
    assert (told["name"], told["zone"], told["quiet"]["begins"]) == ("Lake Hub", "Africa/Nairobi", "20:00")
    Shown().load({name: value for name, value in second["data"].items() if name != "house_id"} | {"version": 2})
    noted = first_deed["data"]
    assert (noted["operation"], noted["actor_id"], noted["network"]) == ("change_house", root.id, root.network)
    assert "Lake Hub" not in str(first_deed), "no words of a person are noted"


def test_of_two_editors_one_is_told(house: Capability) -> None:
    root = member(house, "administrator")
    with pytest.raises(Stale):
        house.change(root, change={"name": "None"}, expected={7})
    house.change(root, change={"name": "One"}, expected={0})
    with pytest.raises(Stale):
        house.change(root, change={"name": "Other"}, expected={0})
    assert house.show()["name"] == "One"


@pytest.mark.parametrize("roles", [["coworker"], ["host", "mentor"]])
def test_who_does_not_administer_now_changes_nothing_whatever_their_token_says(
    house: Capability, roles: list[str]
) -> None:
    with pytest.raises(Forbidden):
        house.change(member(house, *roles), change={"name": "Mine"})
    assert (house.show()["version"], house.said()) == (0, [])


def test_a_wrong_change_is_half_made_nowhere(house: Capability) -> None:
    with pytest.raises(Invalid):
        house.change(member(house, "administrator"), change={"name": "Lake Hub", "zone": "Mars/Base"})
    assert (house.show()["name"], house.said()) == ("Our hub", [])


def test_it_is_announced_again_under_the_same_sequence(house: Capability) -> None:
    assert house.replay() == {"announced": 0}, "nobody keeps a copy of what was never changed"
    house.change(member(house, "administrator"), change={"languages": ["de"]})
    first, _ = house.said()
    assert house.replay() == {"announced": 1}
    (again,) = house.said()
    assert (again["data"], again["sequence"]) == (first["data"], first["sequence"])
    assert again["id"] != first["id"]
