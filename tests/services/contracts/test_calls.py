"""The calls keep their word: each is declared once, answered once, and routed or made on the bus only."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from marshmallow import fields

from deploy.capabilities import capabilities
from deploy.local.platform import ROOT
from gateway import routes
from gateway.api import Blueprint
from gateway.bus import revoked, stream
from gateway.door import tickets
from services.chassis.rpc import answers, contradictions
from services.contracts import calling, calls
from services.contracts.calling import Call, UndeclaredCall, ask
from services.contracts.errors import Invalid
from services.contracts.roles import MEMBERS, ORGANISERS
from services.contracts.shapes.parts import AllRows, Id, Shape, Text

ID = "018f2d70-1c3b-7b52-8d0e-3a9f5c6b7d81"
CALLS = [each for each in calling.CALLS.values() if each.capability in calls.capabilities()]
ON_THE_BUS = {each.target for each in CALLS if each.operation is None}


class Note(Shape):
    text = Text(most=20, required=True)


@pytest.fixture
def blank(monkeypatch: pytest.MonkeyPatch) -> None:
    """No call is declared yet."""
    monkeypatch.setattr(calling, "CALLS", {})


def take_seat(**changes: Any) -> Call:
    facts = {"says": "Take a seat.", "takes": {"event_id": Id, "note": Note}, "may": MEMBERS} | changes
    return ask(facts.pop("target", "events.attendance.answer"), **facts)


@pytest.mark.usefixtures("blank")
def test_arguments_are_exactly_those_that_were_declared() -> None:
    asked = take_seat(takes={"event_id": Id, "note": Note, "origin": fields.String})
    given = {"event_id": ID, "note": {"text": " window "}, "origin": "here"}
    assert asked.read(given) == given | {"note": {"text": "window"}}
    for wrong in (None, [], "text", {}, given | {"more": 1}, {"event_id": ID, "note": {"text": "a"}}):
        with pytest.raises(Invalid, match=r"takes the arguments \['event_id', 'note', 'origin'\]"):
            asked.read(wrong)


@pytest.mark.usefixtures("blank")
@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"note": {"text": "x" * 21}}, "text"),
        ({"note": None}, ""),
        ({"event_id": "$ne"}, "event_id"),
        ({"event_id": {"$ne": ""}}, "event_id"),
        ({"event_id": None}, "event_id"),
    ],
)
def test_a_wrong_argument_is_named(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        take_seat().read({"event_id": ID, "note": {"text": "a"}} | wrong)
    assert [each["field"] for each in refused.value.fields] == [field]


@pytest.mark.usefixtures("blank")
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"target": "events.calendar.draft"}, "declared twice"),
        ({"target": "events.draft"}, "must be <service>"),
        ({"target": "events.calendar.ping"}, "every capability does by itself"),
        ({"operation": "draft_event"}, "named draft_event like another"),
        ({"says": "Take a seat"}, "says no sentence"),
        ({"may": ()}, "say exactly one"),
        ({"public": True}, "say exactly one"),
        ({"operator": True}, "say exactly one"),
        ({"may": (), "public": True, "operator": True}, "say exactly one"),
        ({"may": {"astronaut"}}, "roles that nobody has"),
        ({"own": {"astronaut"}}, "roles that nobody has"),
        ({"may": (), "operator": True, "operation": "take_seat"}, "for operators and has an operation"),
        ({"takes": {"note": Note, "other": Note}}, "more than one shape"),
        ({"takes": {"caller": Id}}, "given by the token"),
        ({"gives": Note, "makes": Note}, "both gives and makes"),
    ],
)
def test_a_declaration_that_contradicts_itself_or_another_is_refused(wrong: dict[str, Any], says: str) -> None:
    ask("events.calendar.draft", operation="draft_event", says="Draft an event.", may=ORGANISERS)
    with pytest.raises(UndeclaredCall, match=says):
        take_seat(**wrong)


@pytest.mark.usefixtures("blank")
def test_who_answers_otherwise_than_declared_is_named() -> None:
    seat, leave = take_seat(), ask("events.attendance.leave", says="Leave.", may=(), own=MEMBERS)
    elsewhere = ask("events.calendar.show", says="Show.", public=True)

    class Attendance:
        name = "events.attendance"

        @answers(seat)
        def answer(self, caller: object, event_id: str, note: object) -> None: ...

        @answers(seat)
        def answer_too(self, event_id: str, note: object, more: str) -> None: ...

        @answers(elsewhere)
        def show(self) -> None: ...

    found = list(contradictions([Attendance]))
    assert found == [
        "events.attendance.answer must be answered by one method, not by answer and answer_too.",
        f"{leave.target} must be answered by one method, not by none.",
        "events.attendance.answer_too must take ['caller', 'event_id', 'note'], as events.attendance.answer declares, "
        "not ['event_id', 'more', 'note'].",
        "events.attendance.show answers events.calendar.show, which is another capability's.",
    ]


UNANSWERED = """
from services.chassis import runner
from services.contracts.calling import ask
ask("events.attendance.answer", says="Take a seat.", public=True)
class Attendance:
    name = "events.attendance"
runner.serve("events", [Attendance])
"""


def test_a_service_that_does_not_answer_a_call_does_not_start() -> None:
    command = [sys.executable, "-c", UNANSWERED]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    says = "events can't start. events.attendance.answer must be answered by one method, not by none."
    assert ended.stderr.splitlines()[-1] == says


@pytest.mark.usefixtures("blank")
@pytest.mark.parametrize(
    ("rule", "changes", "says"),
    [
        ("/events/<id:event_id>/seat", {"operation": None}, "on the bus only"),
        ("/events/<id:event_id>/seat", {"operation": None, "may": (), "operator": True}, "on the bus only"),
        ("/events/<id:id>/seat", {}, r"gives it \['id', 'note'\]"),
        ("/events/seat", {}, r"gives it \['note'\]"),
        ("/events/<id:event_id>/seat", {"takes": {"event_id": Id}}, None),
    ],
)
def test_a_route_gives_a_call_what_it_takes(rule: str, changes: dict[str, Any], says: str | None) -> None:
    asked = take_seat(**{"operation": "take_seat"} | changes)
    nouns = Blueprint("seats", __name__, description="Where people sit.")
    if says is None:
        nouns.put(rule, asked)
        return
    with pytest.raises(UndeclaredCall, match=says):
        nouns.put(rule, asked)


def test_every_call_is_answered_by_one_method() -> None:
    assert list(contradictions(capabilities())) == []
    assert len(CALLS) > 40


def test_all_capabilities_are_known_to_the_contracts() -> None:
    names = {each.name for each in capabilities()}  # type: ignore[attr-defined]
    assert {each.capability for each in CALLS} <= names
    assert {name for name in calls.capabilities() if name.partition(".")[0] not in ("tests", "bench")} == names


def routed() -> Iterator[Call]:
    for noun in routes.NOUNS:
        yield from noun.routes.asks


def test_every_call_has_an_address_or_is_made_on_the_bus_only() -> None:
    found = [each.target for each in routed()]
    assert sorted(found) == sorted({each.target for each in CALLS} - ON_THE_BUS)
    own = {
        each.target for module in (stream, revoked, tickets) for each in vars(module).values() if isinstance(each, Call)
    }
    assert {each.target for each in CALLS if each.operator} == ON_THE_BUS - own


def test_operations_are_named_like_their_constants() -> None:
    for module in (calls.events, calls.feedback, calls.members, calls.notifications):
        named = {name: each for name, each in vars(module).items() if isinstance(each, Call)}
        assert {each.capability.partition(".")[0] for each in named.values()} == {module.__name__.rpartition(".")[2]}
        for name, each in named.items():
            assert each.operation in (None, name.lower())


def answered_ids(shape: Any) -> Iterator[tuple[Any, str]]:
    """Each field of an answer that refers to something by its id, in all its parts."""
    for name, field in shape.fields.items():
        inner = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, fields.Nested):
            yield from answered_ids(inner.schema)
        elif isinstance(inner, Id) and name != "id":
            yield shape, name


def test_an_id_of_a_person_comes_with_their_name() -> None:
    own = {("Tokens", "member_id"), ("SignedIn", "member_id")}  # whoever signs in knows who they are
    found = [pair for each in CALLS if each.operation and each.gives for pair in answered_ids(each.gives())]
    assert len(found) > 10
    missing = {
        (type(shape).__name__, name) for shape, name in found if f"{name.removesuffix('_id')}_name" not in shape.fields
    }
    assert missing == own


@pytest.mark.usefixtures("blank")
def test_an_argument_with_a_default_may_be_missing() -> None:
    asked = take_seat(takes={"event_id": Id, "all_rows": AllRows})
    assert asked.read({"event_id": ID}) == {"event_id": ID, "all_rows": False}
    assert asked.read({"event_id": ID, "all_rows": True})["all_rows"] is True
    for wrong in ({"all_rows": True}, {"event_id": ID, "all_rows": "yes"}, {"event_id": ID, "more": 1}):
        with pytest.raises(Invalid):
            asked.read(wrong)
