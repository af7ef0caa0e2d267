"""The life of a voice, without any machinery."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.contracts.errors import Conflict, Forbidden, Invalid, NotFound, Refusal
from services.contracts.roles import Actor
from services.feedback.voices import domain

NOW = datetime(2026, 11, 2, 9, 41, 23, 512000, tzinfo=UTC)
AUTHOR, STRANGER, ROOT = "the-author", "a-stranger", "root"
ACTORS = {
    AUTHOR: Actor(AUTHOR, frozenset({"coworker"})),
    STRANGER: Actor(STRANGER, frozenset({"mentor"})),
    ROOT: Actor(ROOT, frozenset({"administrator"})),
}
STAFF = {"by": ACTORS[ROOT], "now": NOW}


def voice(**changes: Any) -> domain.Voice:
    draft = {"text": "I need quiet.", "kind": "need", "touchpoint": "app", "anonymous": False} | changes
    return domain.raise_voice(AUTHOR, draft, "the-code", id="v", at=domain.as_told(draft, NOW))


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_anonymous_voice_keeps_neither_author_nor_hour_nor_code(now: datetime) -> None:
    draft = {"text": "I need quiet.", "kind": None, "touchpoint": "cafe", "anonymous": True}
    at = domain.as_told(draft, now)
    told = json.dumps(domain.raise_voice(AUTHOR, draft, "the-code", id="v", at=at), default=str)
    assert AUTHOR not in told
    assert "the-code" not in told
    assert (at.year, at.month, at.day) == (now.year, now.month, now.day)
    assert (at.hour, at.minute, at.second, at.microsecond) == (0, 0, 0, 0)
    assert domain.digest("the-code") in told


def test_a_voice_with_a_name_keeps_its_moment() -> None:
    assert voice()["raised_at"] == NOW
    assert voice()["claim_hash"] is None


def test_an_answer_acknowledges() -> None:
    answered = domain.answer(voice(), "We look for a room.", **STAFF)
    assert answered["status"] == "acknowledged"
    assert answered["answers"] == [{"text": "We look for a room.", "by": ROOT, "at": NOW}]


def test_an_answer_after_the_end_changes_no_status() -> None:
    done = domain.move(voice(), "done", "", **STAFF)
    assert domain.answer(done, "It is on the second floor.", **STAFF)["status"] == "done"


def test_answers_are_bounded() -> None:
    full = voice() | {"answers": [{}] * domain.ANSWERS_AT_MOST}
    with pytest.raises(Conflict):
        domain.answer(full, "One more.", **STAFF)


def test_declining_needs_a_reason() -> None:
    with pytest.raises(Invalid) as refused:
        domain.move(voice(), "declined", "", **STAFF)
    assert refused.value.fields[0]["field"] == "reason"
    assert domain.move(voice(), "declined", "No room before May.", **STAFF)["reason"] == "No room before May."


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ((), "acknowledged", None),
        ((), "decided", None),
        ((), "done", None),
        (("acknowledged",), "done", None),
        (
            ("acknowledged",),
            "acknowledged",
            "This voice is acknowledged already. It can become decided, done or declined.",
        ),
        (("decided",), "acknowledged", "This voice is decided already. It can become done or declined."),
    ],
)
def test_a_voice_may_pass_over_steps_and_never_goes_back(path: tuple[str, ...], status: str, says: str | None) -> None:
    moved = voice()
    for step in path:
        moved = domain.move(moved, step, "", **STAFF)
    if says is None:
        assert domain.move(moved, status, "", **STAFF)["status"] == status
        return
    with pytest.raises(Conflict) as refused:
        domain.move(moved, status, "", **STAFF)
    assert (refused.value.code, refused.value.says) == ("not_forward", says)


def test_what_is_taken_down_has_no_words_and_a_trace() -> None:
    answered = domain.answer(voice(), "About that neighbour?", **STAFF)
    done = domain.move(answered, "done", "The neighbour moved.", **STAFF)
    taken = domain.take_down(done, "It names somebody.", **STAFF)
    assert (taken["text"], taken["reason"], taken["status"]) == ("", "It names somebody.", "taken_down")
    assert taken["answers"] == [{"text": "", "by": ROOT, "at": NOW}]
    assert taken["history"][-1] == {"at": NOW, "by": ROOT, "what": "taken_down", "why": "It names somebody."}
    assert "eighbour" not in str(taken)
    for refused in (
        lambda: domain.take_down(taken, "Again.", **STAFF),
        lambda: domain.answer(taken, "Still.", **STAFF),
        lambda: domain.move(taken, "declined", "Still.", **STAFF),
    ):
        with pytest.raises(Conflict, match="taken down"):
            refused()


def test_administrators_take_down() -> None:
    for by, refusal in (
        (Actor("hanna", frozenset({"host"})), Forbidden),
        (ACTORS[AUTHOR], Forbidden),
        (ACTORS[STRANGER], NotFound),
    ):
        with pytest.raises(refusal):
            domain.take_down(voice(), "It names somebody.", by=by, now=NOW)


def test_voices_of_a_day_are_counted_by_kind_and_together() -> None:
    named, nameless = (domain.tallies(AUTHOR, "alias", NOW, anonymous=anonymous) for anonymous in (False, True))
    assert (named.own, named.other) == (nameless.other, nameless.own)
    assert (AUTHOR in named.own, nameless.own) == (True, "alias")
    tomorrow = domain.tallies(AUTHOR, "alias", NOW + timedelta(days=1), anonymous=False)
    assert tomorrow.own != named.own
    assert named.ends_at == datetime(2026, 11, 3, tzinfo=UTC)
    assert domain.tallies(AUTHOR, "", NOW, anonymous=True).own == "", "no alias, no count"


def test_one_voice_too_many_is_told_when_to_come_back() -> None:
    refused = domain.too_many(20, datetime(2026, 11, 3, tzinfo=UTC), NOW)
    assert refused.after == 51_517
    assert "20 voices a day" in refused.says
    assert domain.too_many(20, datetime(2026, 11, 2, tzinfo=UTC), NOW).after == 1, "a fresh token has a fresh alias"


def test_who_may_do_what() -> None:
    with pytest.raises(Forbidden):
        domain.answer(voice(), "Thanks, me.", by=ACTORS[AUTHOR], now=NOW)
    with pytest.raises(NotFound):
        domain.move(voice(), "done", "", by=ACTORS[STRANGER], now=NOW)
    with pytest.raises(NotFound):
        domain.visible(voice(anonymous=True), by=ACTORS[AUTHOR])
    assert domain.visible(voice(), by=ACTORS[AUTHOR])
    assert domain.visible(voice(anonymous=True), by=Actor("anybody", frozenset({"host"})))
    assert domain.sees_all(ACTORS[ROOT], mine=False)
    assert not domain.sees_all(ACTORS[ROOT], mine=True)
    assert not domain.sees_all(ACTORS[AUTHOR], mine=False)


class Life(RuleBasedStateMachine):
    """A voice only moves forward, ends once, and remembers each step, in any sequence of attempts."""

    people = st.sampled_from([AUTHOR, STRANGER, ROOT])

    @initialize()
    def begin(self) -> None:
        self.voice = voice()
        self.steps = ["received"]

    def attempt(self, verb: Any, who: str, *args: Any) -> None:
        before = self.voice
        try:
            self.voice = verb(before, *args, by=ACTORS[who], now=NOW)
        except Refusal:
            return
        assert who == ROOT
        assert len(self.voice["history"]) == len(before["history"]) + 1
        if self.voice["status"] != before["status"]:
            self.steps.append(self.voice["status"])

    @rule(who=people)
    def answer(self, who: str) -> None:
        self.attempt(domain.answer, who, "We look for a room.")

    @rule(
        who=people,
        status=st.sampled_from(["acknowledged", "decided", "done", "declined"]),
        reason=st.sampled_from(["", "why"]),
    )
    def move(self, who: str, status: str, reason: str) -> None:
        self.attempt(domain.move, who, status, reason)

    @invariant()
    def forward_only(self) -> None:
        order = [*domain.STEPS, "declined"]
        assert self.steps == sorted(set(self.steps), key=order.index)
        assert not {"done", "declined"} <= set(self.steps)
        assert self.voice["status"] == self.steps[-1]


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=50, stateful_step_count=20, deadline=None)
