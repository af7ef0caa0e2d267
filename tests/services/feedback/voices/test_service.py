"""Voices as the bus asks them: what is answered, kept and announced."""

import threading
from collections.abc import Iterator
from threading import Timer
from typing import Any

import pytest
from pymongo.errors import ServerSelectionTimeoutError

from services.contracts.catalogue import CATALOGUE
from services.contracts.errors import TOO_MANY_VOICES, Conflict, Forbidden, Hidden, Invalid, NotFound, TooMany
from services.contracts.shapes.feedback import Outcome, RaisedVoice, Voice
from services.feedback.people.domain import person
from services.feedback.voices.service import Voices
from services.ground.tokens import Caller
from tests.rig.capability import ASKED_AS, Away, Capability, somebody
from tests.rig.processes import until

A_DAY = 3
LAMP = {"text": "I need a lamp.", "kind": "need"}
SMELL = {"text": "The kitchenette smells.", "anonymous": True}
WHY = {"reason": "It names a neighbour."}


@pytest.fixture
def voices(make_store: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Capability]:
    monkeypatch.setattr("services.chassis.tallies.WRITTEN_EVERY", 0.01)
    made = Capability(Voices, make_store, voices_a_day=A_DAY)
    yield made
    until(lambda: not any(isinstance(each, Timer) for each in threading.enumerate()))  # all tallies are written


@pytest.fixture
def author() -> Caller:
    return somebody("coworker", alias="nobody-knows-whose")


@pytest.fixture
def host() -> Caller:
    return somebody("host")


def said(voices: Capability) -> dict[str, Any]:
    """The announced messages by type. Each fits the catalogue."""
    found = {each["type"]: each for each in voices.said()}
    for type, each in found.items():
        CATALOGUE[type].read(each["data"])
    return found


def test_a_voice_is_announced_with_its_author(voices: Capability, author: Caller) -> None:
    raised = voices.submit(author, draft=LAMP)
    RaisedVoice().load(raised)
    assert (raised["author_id"], raised["status"], raised["claim_code"]) == (author.id, "received", None)
    (message,) = voices.said()
    assert (message["type"], message["subject"], message["data"]["text"]) == (
        "feedback.submitted",
        raised["id"],
        LAMP["text"],
    )
    assert message["correlationid"] == ASKED_AS
    Voice().load(voices.show(author, voice_id=raised["id"]))
    assert said(voices) == {}, "to read one's own is nobody's business"


def test_an_anonymous_voice_leads_to_nobody_but_by_its_code(voices: Capability, author: Caller, host: Caller) -> None:
    raised = voices.submit(author, draft=SMELL)
    assert (raised["author_id"], raised["raised_at"][11:]) == (None, "00:00:00.000Z")
    (message,) = voices.said()
    kept = voices.store("voices").get(raised["id"])
    for trace in (author.id, author.alias, raised["claim_code"], ASKED_AS):
        assert trace not in str(kept)
        assert trace not in str(message)
    with pytest.raises(Hidden):
        voices.show(author, voice_id=raised["id"])
    voices.answer(host, voice_id=raised["id"], answer={"text": "We clean it on Fridays."})
    outcome = voices.outcome(claim={"claim_code": raised["claim_code"]})
    Outcome().load(outcome)
    assert (outcome["status"], outcome["answers"][0]["text"]) == ("acknowledged", "We clean it on Fridays.")
    with pytest.raises(NotFound):
        voices.outcome(claim={"claim_code": "invented"})


@pytest.mark.parametrize("first", [LAMP, SMELL])
def test_voices_of_a_day_are_counted_together_with_anonymous_ones(
    voices: Capability, author: Caller, first: dict[str, Any]
) -> None:
    for draft in (first, LAMP, SMELL):
        voices.submit(author, draft=draft)
    voices.said()
    for draft in (LAMP, SMELL, LAMP):
        with pytest.raises(TooMany) as refused:
            voices.submit(author, draft=draft)
        assert refused.value.code == TOO_MANY_VOICES
        assert 0 < (refused.value.after or 0) <= 86_400
    assert said(voices) == {}
    assert sum(voices.store("tallies")._known.values()) == A_DAY, "what was refused is not counted"
    voices.submit(somebody("coworker", alias="another"), draft=LAMP)


def test_each_step_is_announced_and_noted_once(voices: Capability, author: Caller, host: Caller) -> None:
    id = voices.submit(author, draft=LAMP)["id"]
    voices.said()
    assert voices.answer(host, voice_id=id, answer={"text": "We look."})["status"] == "acknowledged"
    found = said(voices)
    assert set(found) == {"feedback.answered", "feedback.noted"}
    assert (found["feedback.answered"]["data"]["answer"], found["feedback.answered"]["sequence"][-1]) == (
        "We look.",
        "2",
    )
    assert found["feedback.noted"]["data"]["operation"] == "answer_voice"
    assert "We look." not in str(found["feedback.noted"])
    moved = voices.move(host, voice_id=id, move={"status": "declined", "reason": "The house is full."})
    assert (moved["status"], moved["reason"]) == ("declined", "The house is full.")
    found = said(voices)
    assert (found["feedback.moved"]["data"]["status"], found["feedback.moved"]["sequence"][-1]) == ("declined", "3")
    assert found["feedback.noted"]["data"]["before"] == {"status": "acknowledged"}
    with pytest.raises(Conflict):
        voices.move(host, voice_id=id, move={"status": "done"})
    assert said(voices) == {}


def test_a_refusal_saves_and_announces_nothing(voices: Capability, author: Caller, host: Caller) -> None:
    id = voices.submit(author, draft=LAMP)["id"]
    voices.said()
    for stranger, refusal in ((author, Forbidden), (somebody("trainer"), Hidden)):
        for method, given in (("answer", {"text": "me"}), ("move", {"status": "done"}), ("take_down", WHY)):
            name = {"take_down": "takedown"}.get(method, method)
            with pytest.raises(refusal):
                getattr(voices, method)(stranger, voice_id=id, **{name: given})
    with pytest.raises(Forbidden):
        voices.take_down(host, voice_id=id, takedown=WHY)
    with pytest.raises(Invalid):
        voices.move(host, voice_id=id, move={"status": "declined"})
    with pytest.raises(Invalid):
        voices.submit(author, draft={"text": ""})
    assert said(voices) == {}
    assert voices.show(author, voice_id=id)["version"] == 1


def test_what_is_taken_down_and_was_not_sent_yet_never_is(voices: Capability, author: Caller, host: Caller) -> None:
    id = voices.submit(author, draft=LAMP)["id"]
    voices.answer(host, voice_id=id, answer={"text": f"Why? {LAMP['text']}"})
    voices.take_down(somebody("administrator"), voice_id=id, takedown=WHY)
    assert LAMP["text"] not in str(voices.store("voices").rows.find_one({"_id": id}))
    found = voices.said()
    assert [each["type"] for each in found] == ["feedback.noted", "feedback.taken_down", "feedback.noted"]
    assert [each["data"]["operation"] for each in (found[0], found[2])] == ["answer_voice", "take_down_voice"]
    shown = voices.show(author, voice_id=id)
    assert (shown["status"], shown["text"], shown["reason"]) == ("taken_down", "", WHY["reason"])


def test_staff_who_read_what_others_said_are_noted_once_an_hour(
    voices: Capability, author: Caller, host: Caller
) -> None:
    id, own = voices.submit(author, draft=LAMP)["id"], voices.submit(host, draft=LAMP)["id"]
    voices.said()
    for _ in range(2):
        voices.show(host, voice_id=id)
        voices.show(host, voice_id=own)
        voices.browse(host, query={})
        voices.browse(host, query={"mine": "true"})
        voices.browse(author, query={})
    noted = [each["data"] for each in voices.said()]
    assert sorted((each["operation"], each["subject_id"] or "") for each in noted) == [
        ("list_voices", ""),
        ("show_voice", id),
    ]
    assert {each["actor_id"] for each in noted} == {host.id}


def test_a_member_lists_their_own_and_staff_all(voices: Capability, author: Caller, host: Caller) -> None:
    mine = [voices.submit(author, draft=LAMP)["id"] for _ in range(2)]
    others = voices.submit(host, draft=LAMP)["id"]
    first = voices.browse(author, query={"limit": 1})
    rest = voices.browse(author, query={"limit": 1, "cursor": first["next"]})
    assert [each["id"] for each in first["items"] + rest["items"]] == mine[::-1]
    assert rest["next"] is None
    assert [each["id"] for each in voices.browse(host, query={})["items"]] == [others, *mine[::-1]]
    assert [each["id"] for each in voices.browse(host, query={"mine": "true"})["items"]] == [others]
    voices.answer(host, voice_id=mine[0], answer={"text": "We look."})
    found = voices.browse(host, query={"status": "acknowledged"})["items"]
    assert [each["id"] for each in found] == [mine[0]]


def test_a_voice_comes_with_the_names_of_those_who_speak_in_it(
    voices: Capability, author: Caller, host: Caller
) -> None:
    for id, name in ((author.id, "Amara Okafor"), (host.id, "Hanna Weber")):
        voices.store("people").keep_youngest(person(id, name, 1))
    raised, hidden = (voices.submit(author, draft=draft) for draft in (LAMP, SMELL))
    assert (raised["author_name"], hidden["author_name"]) == ("Amara Okafor", None)
    for each in (raised, hidden):
        answered = voices.answer(host, voice_id=each["id"], answer={"text": "We look into it."})
        assert answered["answers"][0]["by_name"] == "Hanna Weber"
    listed = voices.browse(host, query={})["items"]
    assert {each["id"]: each["author_name"] for each in listed} == {raised["id"]: "Amara Okafor", hidden["id"]: None}
    outcome = voices.outcome(claim={"claim_code": hidden["claim_code"]})
    assert [each["by_name"] for each in outcome["answers"]] == ["Hanna Weber"]


def test_who_speaks_is_null_until_feedback_has_heard_of_them(voices: Capability, author: Caller, host: Caller) -> None:
    raised = voices.submit(author, draft=LAMP)
    answered = voices.answer(host, voice_id=raised["id"], answer={"text": "We look into it."})
    assert (answered["author_name"], answered["answers"][0]["by_name"]) == (None, None)


def test_nothing_is_saved_that_could_not_be_answered(
    voices: Capability, author: Caller, host: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = voices.submit(author, draft=LAMP)["id"]
    monkeypatch.setattr(voices.store("people"), "documents", Away())
    for who, act, given in (
        (author, "submit", {"draft": LAMP}),
        (host, "answer", {"voice_id": id, "answer": {"text": "Soon."}}),
        (host, "move", {"voice_id": id, "move": {"status": "done"}}),
        (somebody("administrator"), "take_down", {"voice_id": id, "takedown": WHY}),
    ):
        with pytest.raises(ServerSelectionTimeoutError):
            getattr(voices, act)(who, **given)
    assert [each["version"] for each in voices.store("voices").rows.find()] == [1]
