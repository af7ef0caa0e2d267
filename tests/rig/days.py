"""Days to come, as tests enter them: told from the day of the run, as an event may not be far away."""

from datetime import datetime, timedelta

from services.ground import clock


def to_come(days: int = 30, hour: int = 9, minute: int = 0) -> datetime:
    """A time of day so many days from now, in UTC."""
    return clock.now().replace(hour=hour, minute=minute, second=0, microsecond=0) + timedelta(days=days)


def times(days: int = 30) -> dict[str, str]:
    """The begin and end of an event of an hour, as they are entered."""
    return {"starts_at": to_come(days).isoformat(), "ends_at": to_come(days, hour=10).isoformat()}
