"""Identifiers tell the moment that they were made of."""

from datetime import UTC, datetime, timedelta

import pytest

from services.ground import identifiers

OF_CHANCE = "9f6c1f0e-5d0a-4f57-8a3d-2f6f0c1b7e11"  # version 4
NOW = datetime(2026, 11, 2, 9, 30, 0, 123_000, tzinfo=UTC)


def test_an_id_sorts_by_and_tells_its_moment() -> None:
    ids = [identifiers.new_id(NOW + timedelta(milliseconds=number)) for number in range(3)]
    assert ids == sorted(ids)
    assert [identifiers.moment(each) - NOW for each in ids] == [timedelta(milliseconds=number) for number in range(3)]


@pytest.mark.parametrize("id", ["", "root", OF_CHANCE, identifiers.derived_id("x"), "f" * 32])
def test_what_tells_no_moment_is_of_the_last(id: str) -> None:
    assert identifiers.moment(id) == datetime.max.replace(tzinfo=UTC)
