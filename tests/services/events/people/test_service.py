"""The copy of the members' names: what it remembers, and of what gateways hear."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.chassis.messaging import Envelope
from services.contracts.catalogue import Announcement
from services.events.people.service import People
from tests.rig.capability import Capability

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
AMARA = "018f2d6e-5b7c-7a3e-9c41-0f2b6d7e8a90"


class Announced(list[Announcement]):
    """Keeps what a handler announces."""

    def announce(self, announcement: Announcement) -> None:
        self.append(announcement)


@pytest.fixture
def announced() -> Announced:
    return Announced()


@pytest.fixture
def people(make_store: Any, announced: Announced) -> Capability:
    return Capability(People, make_store, announcer=announced)


def heard(people: Capability, name: str, sequence: int, method: str = "learn_of_a_change") -> None:
    message = Envelope(f"m-{sequence}", "members.changed", AMARA, NOW, sequence, None)
    people.do(method, message, AMARA, name)


def test_a_name_is_told_when_answers_show_it_otherwise(people: Capability, announced: Announced) -> None:
    def told(name: str, sequence: int, method: str = "learn_of_a_change") -> list[dict[str, Any]]:
        announced.clear()
        heard(people, name, sequence, method)
        return [each.data for each in announced]

    whose = [{"member_id": AMARA}]
    assert told("Amara Okafor", 1, "learn_of_a_new_member") == whose
    assert told("Amara Okafor", 2) == [], "her roles or tags have changed"
    assert told("Amara Achieng", 3) == whose
    assert told("Amara Achieng", 3) == whose, "the process may have died before it told it"
    told("Amara Okafor", 2)
    assert people.store("people").rows.find_one()["name"] == "Amara Achieng", "what is older does not count"
