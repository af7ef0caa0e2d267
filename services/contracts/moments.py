"""Moments in whole milliseconds, as the store keeps them. Only this file turns a moment into a number and back.

Numbers are `int`. A `float` of seconds has too few digits from the year 2242 on: a moment could come back a millisecond
early.
"""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_ms(moment: datetime) -> int:
    """Unix milliseconds of a moment (with an offset), cut to the millisecond; negative before 1970."""
    return (moment - EPOCH) // _MILLISECOND


def from_ms(milliseconds: int) -> datetime:
    """The moment, in UTC, of Unix milliseconds. Raises OverflowError outside the years 1 to 9999."""
    return EPOCH + timedelta(milliseconds=milliseconds)


def cut(moment: datetime) -> datetime:
    """A moment, cut to the millisecond."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def to_text(moment: datetime) -> str:
    """RFC 3339 in UTC to the millisecond, as HTTP and messages have it: `2027-03-01T09:00:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
