"""A check of `hub doctor` for overdue work."""

from datetime import timedelta
from typing import Any

from deploy.hub import known, screen, settings, store
from deploy.hub.finding import Finding, Findings
from services.ground import clock

LATE = timedelta(minutes=1)  # after its planned moment, work counts as late
TRIED_WITHIN = timedelta(hours=1)  # longer than any pause between two tries


def check() -> Findings:
    """Find late work, by the field that plans it."""
    with store.client() as client:
        late = [finding for service in known.services() for finding in _late(client, service)]
    yield from late or [Finding("ok", "schedule", "nothing that was due is late.")]


def _late(client: store.Client, service: str) -> Findings:
    database, now = client[settings.database(service)], clock.now()
    for name, field in store.planning(database):
        rows = _as_utc(database[name]).find({field: {"$lte": now + TRIED_WITHIN}}, {field: True, store.TAKEN: True})
        since = [moment for moment in (known.planned_for(row, field) for row in rows) if moment < now - LATE]
        if since:
            things, oldest = screen.counted(len(since), "thing"), f"{min(since):%F at %R} UTC"
            yield Finding(
                "wrong",
                f"schedule {service}.{name}",
                f"{things} should have been done, the oldest on {oldest}.",
                "If its service is up, its log says why it fails; each is tried again by itself.",
            )


def _as_utc(rows: Any) -> Any:
    return rows.with_options(codec_options=rows.codec_options.with_options(tz_aware=True))
