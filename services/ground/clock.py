"""The clock: the one place that knows what time it is, so that the domain need not."""

from datetime import UTC, datetime

from services.contracts import moments


def now() -> datetime:
    """The present moment in UTC, cut to the millisecond that the store keeps."""
    return moments.cut(datetime.now(UTC))
