"""Answers that are given again, on a real store."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
import time_machine

from services.chassis.answers import RUNS_AT_MOST, WIDEST, Answers, Claim
from services.contracts.errors import Conflict, Invalid, Refusal
from services.contracts.shapes.feedback import RaisedVoice
from services.ground import clock

TOMORROW = datetime(2026, 11, 3, tzinfo=UTC)
EXAMPLE = {
    "_id": "018f2d71-77aa-7c10-b3de-5e1f0a9b8c72",
    "author_id": None,
    "kind": "problem",
    "touchpoint": "focus_group",
    "anonymous": True,
    "raised_at": TOMORROW,
    "version": 1,
}
CALL = ("feedback.voices.submit", {"draft": {"text": "a", "kind": None}})


@pytest.fixture
def answers(make_store: Any) -> Iterator[Answers]:
    return make_store(Answers)


def claim(answers: Answers, principal: str = "amara", key: str = "key-1") -> Claim:
    found = answers.claim(principal, key, *CALL)
    assert isinstance(found, Claim)
    return found


def test_the_same_call_gets_the_same_answer(answers: Answers) -> None:
    answers.keep(claim(answers), b"the answer")
    assert answers.claim("amara", "key-1", *CALL) == b"the answer"
    assert answers.claim("amara", "key-1", CALL[0], {"draft": {"kind": None, "text": "a"}}) == b"the answer"


def test_keys_belong_to_their_caller(answers: Answers) -> None:
    answers.keep(claim(answers), b"the answer")
    assert isinstance(answers.claim("omar", "key-1", *CALL), Claim)
    assert isinstance(answers.claim("amara", "key-2", *CALL), Claim)


def test_the_version_that_a_call_builds_on_belongs_to_it(answers: Answers) -> None:
    answers.keep(claim(answers), b"stale")
    with pytest.raises(Invalid):
        answers.claim("amara", "key-1", CALL[0], CALL[1] | {"if": "3"})


@pytest.mark.parametrize("other", [("feedback.voices.answer", CALL[1]), (CALL[0], {"draft": {"text": "b"}})])
def test_another_call_under_the_key_is_refused(answers: Answers, other: tuple[str, dict[str, Any]]) -> None:
    claim(answers)
    with pytest.raises(Invalid) as refused:
        answers.claim("amara", "key-1", *other)
    assert refused.value.code == "idempotency_key_reused"


def test_a_call_that_runs_or_was_interrupted_is_not_run_again(answers: Answers) -> None:
    held = claim(answers)
    with pytest.raises(Conflict, match="still runs"):
        claim(answers)
    (row,) = answers.rows.find({})
    assert clock.now() + RUNS_AT_MOST - timedelta(seconds=5) <= row["runs_until"], "as long as a call may run"
    answers.rows.update_one({"_id": held.id}, {"$set": {"runs_until": clock.now()}})
    with pytest.raises(Conflict, match="interrupted"):
        claim(answers)


def test_a_call_that_failed_by_our_fault_may_be_tried_again(answers: Answers) -> None:
    answers.forget(claim(answers))
    assert claim(answers)


def test_of_a_hundred_at_once_one_runs(answers: Answers) -> None:
    def attempt(_: int) -> str:
        try:
            return type(answers.claim("amara", "key-1", *CALL)).__name__
        except Refusal as refused:
            return refused.code

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(attempt, range(100)))
    assert outcomes.count("Claim") == 1
    assert set(outcomes) == {"Claim", "still_running"}


def test_what_is_kept_tells_nobody_anything(answers: Answers) -> None:
    answers.keep(claim(answers), b'{"claim_code": "secret"}')
    (row,) = answers.rows.find({})
    for trace in ("amara", "key-1", "secret", "claim_code"):
        assert trace not in str(row)


@time_machine.travel(datetime(2026, 11, 2, 23, 59, 59, 123_000, tzinfo=UTC), tick=False)
def test_what_is_kept_tells_no_time_but_the_day(answers: Answers) -> None:
    held = claim(answers)
    (running,) = answers.rows.find({})
    assert running["runs_until"] == datetime(2026, 11, 3, 0, 1, tzinfo=UTC), "to the minute"
    answers.keep(held, b"the answer")
    (row,) = answers.rows.find({})
    assert {name: value for name, value in row.items() if isinstance(value, datetime)} == {"at": TOMORROW}
    (index,) = answers.indexes
    assert index.document["expireAfterSeconds"] >= 24 * 3600, "it is given again for a day at least"


def test_what_is_kept_tells_little_of_its_length_and_nothing_if_it_was_unlinked(answers: Answers) -> None:
    lengths = (2, 40, 1000, 1100, 5000, 16_500)

    def sizes(unlinked: bool) -> set[int]:
        found = set()
        for length in lengths:
            held = claim(answers, key=f"{unlinked}-{length}")
            answers.keep(held, b"x" * length, unlinked=unlinked)
            assert answers.claim("amara", f"{unlinked}-{length}", *CALL) == b"x" * length
            found.add(len((answers.rows.find_one({"_id": held.id}) or {})["answer"]))
        return found

    (size,) = sizes(unlinked=True)
    others = sizes(unlinked=False)
    assert len(others) < len(lengths)
    assert size in others, "an answer of that size may be anybody's"


def test_the_longest_voice_has_room() -> None:
    longest = {"text": "🏠" * 4000, "claim_code": "c" * 27, "reason": "", "answers": [], "status": "received"}
    told = orjson.dumps({"result": RaisedVoice().dump(EXAMPLE | longest), "error": None})
    assert 16_000 < len(told) <= WIDEST
