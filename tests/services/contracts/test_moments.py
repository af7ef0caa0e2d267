"""Moments come back as they went, to the millisecond, for as long as there are years."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.chassis.rows import position
from services.contracts import moments
from services.contracts.errors import Invalid
from services.contracts.shapes.notifications import event_id, moment_of
from services.contracts.shapes.parts import Moment
from services.ground import identifiers

FIRST, LAST = -62_135_596_800_000, 253_402_300_799_999  # of the year 1 and of the year 9999
NEVER = st.integers(max_value=FIRST - 1) | st.integers(min_value=LAST + 1)
IN_2250 = 8_835_987_600_001
anywhere = st.integers(FIRST, LAST)
LATE = example(IN_2250)


def test_the_years_that_there_are() -> None:
    assert moments.from_ms(FIRST) == datetime.min.replace(tzinfo=UTC)
    assert moments.from_ms(LAST) == datetime.max.replace(tzinfo=UTC, microsecond=999_000)


@given(anywhere)
@LATE
def test_each_millisecond_is_one_moment(milliseconds: int) -> None:
    moment = moments.from_ms(milliseconds)
    assert moments.to_ms(moment) == milliseconds
    assert moment.microsecond % 1000 == 0
    assert position(milliseconds) == moment


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9, minutes=-30))])))
def test_what_is_finer_is_cut(moment: datetime) -> None:
    assert moments.from_ms(moments.to_ms(moment)) == moments.cut(moment)
    assert timedelta(0) <= moment - moments.cut(moment) < timedelta(milliseconds=1)


@given(NEVER)
def test_other_numbers_are_no_moments(milliseconds: int) -> None:
    with pytest.raises(OverflowError):
        moments.from_ms(milliseconds)
    with pytest.raises(Invalid) as refused:
        position(milliseconds)
    assert refused.value.fields[0]["field"] == "cursor"


@given(st.integers(0, LAST))
@LATE
def test_an_id_and_an_event_of_the_stream_tell_their_moment(milliseconds: int) -> None:
    moment = moments.from_ms(milliseconds)
    id = identifiers.new_id(moment)
    assert identifiers.moment(id) == moment
    assert moment_of(event_id(moment, id)) == moment


@given(anywhere)
@LATE
def test_a_moment_is_read_as_it_was_written(milliseconds: int) -> None:
    moment, field = moments.from_ms(milliseconds), Moment()
    assert field.deserialize(field.serialize("at", {"at": moment})) == moment


def test_a_moment_that_is_entered_finer_is_cut() -> None:
    found = Moment().deserialize("2027-03-01T10:00:00.123999+01:00")
    assert found == datetime(2027, 3, 1, 9, 0, 0, 123_000, tzinfo=UTC)
