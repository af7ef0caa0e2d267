"""The house, without any machinery."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.contracts.errors import Invalid
from services.contracts.history import REMEMBERED
from services.contracts.shapes.house import House, HouseChange
from services.members.house import domain

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


def change(**fields: Any) -> domain.House:
    return domain.change(domain.UNCHANGED, fields, by="root", now=NOW)


def test_a_new_hub_is_as_any_may_be() -> None:
    shown = House().dump(domain.UNCHANGED)
    del shown["version"]
    assert HouseChange().load(shown) == shown
    assert change()["name"] == "Our hub"


def test_only_what_is_sent_changes_and_it_is_kept_who_did_it() -> None:
    changed = change(name="Lake Hub", zone="Africa/Nairobi")
    assert changed["changed_at"] == NOW
    assert changed["history"] == [{"at": NOW, "by": "root", "what": "changed: name, zone"}]
    told = {name: value for name, value in changed.items() if name not in ("changed_at", "history")}
    assert told == {**told, "name": "Lake Hub", "zone": "Africa/Nairobi"}
    rest = domain.UNCHANGED.keys() - {"name", "zone", "history"}
    assert [changed[name] for name in rest] == [domain.UNCHANGED[name] for name in rest]
    for _ in range(60):
        changed = domain.change(changed, {"name": "N"}, by="root", now=NOW)
    assert len(changed["history"]) == REMEMBERED


@pytest.mark.parametrize(
    ("fields", "at_fault"),
    [
        ({"zone": "Europe/Nowhere"}, "zone"),
        ({"languages": ["en", "en"]}, "languages"),
        ({"quiet": {"begins": "20:00", "ends": "20:00"}}, "quiet"),
        ({"colours": {"background": "#ffffff", "text": "#1c1c1c", "accent": "#ffcc00"}}, "colours.accent"),
        ({"colours": {"background": "#000000", "text": "#222222", "accent": "#ffffff"}}, "colours.text"),
        ({"colours": {"background": "#ffffff", "text": "#777777", "accent": "#000000"}}, "colours.text"),  # 4.48:1
    ],
)
def test_what_would_not_work_is_refused(fields: dict[str, Any], at_fault: str) -> None:
    with pytest.raises(Invalid) as refused:
        change(**fields)
    assert [each["field"] for each in refused.value.fields] == [at_fault]


def test_quiet_hours_may_cross_midnight_or_not_be() -> None:
    assert change(quiet={"begins": "22:30", "ends": "06:00"})["quiet"]["begins"] == "22:30"
    assert change(quiet=None)["quiet"] is None


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#777777", "#ffffff", 4.48),
        ("#ff0000", "#ffffff", 4),
    ],
)
def test_contrast_is_that_of_the_guidelines(one: str, other: str, ratio: float) -> None:
    assert domain.contrast(one, other) == pytest.approx(ratio, abs=0.01)
    assert domain.contrast(other, one) == domain.contrast(one, other)


@pytest.mark.parametrize(
    "fields",
    [
        {"joining": "open"},  # not before it works
        {"languages": []},
        {"languages": ["tlh"]},
        {"promises": {"days_to_answer": 0, "share_kept": 80}},
        {"promises": {"days_to_answer": 14}},
        {"quiet": {"begins": "24:00", "ends": "08:00"}},
        {"colours": {"background": "#fff", "text": "#1c1c1c", "accent": "#0b5c4b"}},
        {"name": ""},
        {"history": []},
        {"version": 7},
    ],
)
def test_what_has_not_its_shape_is_refused(fields: dict[str, Any]) -> None:
    assert HouseChange().validate(fields)
