"""The hub's own language and zone, as one worker knows them."""

from typing import Any

from gateway.bus.house import Habits, House
from gateway.bus.link import Link
from services.contracts.calls.house import SHOW_HOUSE
from services.contracts.errors import Unavailable

AWAY = Unavailable("unavailable", "No answer.")


class Members:
    """Answers what a test wants."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)

    def call(self, capability: str, method: str, kwargs: dict[str, Any], **_more: Any) -> Any:
        assert (capability, method, kwargs) == (SHOW_HOUSE.capability, SHOW_HOUSE.method, {})
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


LOOKS = {"name": "Lake Hub", "colours": {"accent": "#0b5c4b"}}


def test_the_hub_is_known_as_members_told_it_last_also_while_members_is_away() -> None:
    here, moved = ({**LOOKS, "languages": ["de", "en"], "zone": zone} for zone in ("Europe/Malta", "Africa/Nairobi"))
    house = House(Link("amqp://unused", 10), Members(AWAY, here, AWAY, moved))  # type: ignore[arg-type]
    found = [house.habits]
    learnt = []
    for _ in range(4):
        learnt.append(house.learn())
        found.append(house.habits)
    malta, nairobi = (Habits("de", zone, "Lake Hub", "#0b5c4b") for zone in ("Europe/Malta", "Africa/Nairobi"))
    assert learnt == [False, True, False, True]
    assert found == [Habits("en", "UTC"), Habits("en", "UTC"), malta, malta, nairobi]
