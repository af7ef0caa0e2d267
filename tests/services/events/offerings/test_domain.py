"""The rules of an offering, without any machinery."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.contracts.errors import Conflict, Forbidden
from services.contracts.history import REMEMBERED
from services.contracts.roles import Actor
from services.events.offerings import domain

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
STAFF, OTHERS = frozenset({"host"}), frozenset({"coworker", "mentor", "trainer", "hub_user"})
ROOM = {"name": "Meeting room", "description": "", "place": "First floor", "how": "Ask.", "link": None}
BY_STAFF: dict[str, Any] = {"by": Actor("ada", STAFF), "now": NOW}


def room(**more: Any) -> domain.Offering:
    return domain.add(ROOM | {"audience": {"everyone": True}}, id="room", **BY_STAFF) | more


def test_it_is_open_from_the_first_and_its_maker_looks_after_it() -> None:
    made = room()
    assert (made["status"], made["steward_id"], made["close_reason"]) == ("open", "ada", None)


def test_only_staff_keep_the_catalogue() -> None:
    others: dict[str, Any] = {"by": Actor("ben", OTHERS), "now": NOW}
    with pytest.raises(Forbidden):
        domain.add(ROOM, id="room", **others)
    for refused in (
        lambda: domain.change(room(), {"how": "Knock."}, **others),
        lambda: domain.close(room(), "It broke.", **others),
        lambda: domain.reopen(room(status="closed"), **others),
    ):
        with pytest.raises(Forbidden):
            refused()


def test_it_closes_with_a_reason_and_opens_again_without() -> None:
    closed = domain.close(room(), "It broke.", **BY_STAFF)
    assert (closed["status"], closed["close_reason"]) == ("closed", "It broke.")
    opened = domain.reopen(closed, **BY_STAFF)
    assert (opened["status"], opened["close_reason"]) == ("open", None)
    assert [deed["what"] for deed in opened["history"]] == ["added", "closed", "reopened"]


def test_no_step_is_taken_twice_and_a_closed_one_does_not_change() -> None:
    closed = domain.close(room(), "It broke.", **BY_STAFF)
    for refused in (
        lambda: domain.close(closed, "It broke again.", **BY_STAFF),
        lambda: domain.change(closed, {"how": "Knock."}, **BY_STAFF),
        lambda: domain.reopen(room(), **BY_STAFF),
    ):
        with pytest.raises(Conflict):
            refused()


def test_members_read_it_otherwise_when_a_field_of_theirs_differs() -> None:
    fields = frozenset({"name", "how"})
    assert domain.reads_otherwise(room(), room(how="Knock."), fields)
    assert not domain.reads_otherwise(room(), room(audience={"everyone": False}, changed_at=NOW), fields)


def test_its_history_is_bounded() -> None:
    changed = room()
    for _ in range(2 * REMEMBERED):
        changed = domain.change(changed, {"how": "Knock."}, by=Actor("ada", STAFF), now=NOW + timedelta(days=1))
    assert len(changed["history"]) == REMEMBERED
