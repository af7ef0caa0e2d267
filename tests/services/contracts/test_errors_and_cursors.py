"""Refusals travel by name; cursors are only what we wrote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import cursors
from services.chassis.replies import error_of
from services.contracts.errors import FAMILIES, Invalid, Refusal, Unexpected, field_errors, revive


@pytest.mark.parametrize("family", FAMILIES.values())
def test_a_refusal_survives_the_wire(family: type[Refusal]) -> None:
    sent = family("a_code", "A sentence.", [{"field": "a.b", "says": "Wrong."}], after=7)
    found = revive(error_of(sent) or {})
    assert type(found) is family
    assert (found.code, found.says, found.fields, found.after) == (sent.code, sent.says, sent.fields, sent.after)


@pytest.mark.parametrize(
    "error", [{}, {"exc_type": "SystemExit", "exc_args": []}, {"exc_type": "Invalid", "exc_args": [1]}]
)
def test_anything_else_is_unexpected(error: dict[str, object]) -> None:
    assert isinstance(revive(error), Unexpected)


def test_nested_messages_become_paths() -> None:
    nested = {"audience": {"roles": {0: ["Must be one of …"]}, "_schema": ["Name somebody."]}, "title": ["Missing."]}
    assert field_errors(nested) == [
        {"field": "audience.roles.0", "says": "Must be one of …"},
        {"field": "audience", "says": "Name somebody."},
        {"field": "title", "says": "Missing."},
    ]


@given(st.integers(-(2**53), 2**53), st.text(max_size=50).filter(lambda text: "\ud800" not in text))
def test_a_cursor_is_read_as_it_was_written(number: int, text: str) -> None:
    assert cursors.read(cursors.write([number, text]), int, str) == [number, text]


@given(st.text(max_size=60))
def test_any_other_word_is_refused(word: str) -> None:
    with pytest.raises(Invalid) as refused:
        cursors.read(word, int, str)
    assert refused.value.fields[0]["field"] == "cursor"


def test_no_cursor_is_no_position() -> None:
    assert cursors.write(None) is None
    assert cursors.read(None, int, str) is None
