"""Answers that are given again, on a real store."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from services.chassis import identifiers
from services.chassis.answers import RUNS_AT_MOST, Answers, Claim
from services.contracts.errors import Conflict, Invalid, Refusal

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
    answers.rows.update_one({"_id": held.id}, {"$set": {"at": identifiers.now() - RUNS_AT_MOST - timedelta(seconds=1)}})
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
