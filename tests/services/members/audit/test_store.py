"""The audit log on a real store."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.contracts.messages.gateway import GATEWAY_NOTED
from services.members.audit import domain
from services.members.audit.store import AuditStore

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
FACTS = GATEWAY_NOTED.read(GATEWAY_NOTED.example)


def entry(number: int, **facts: Any) -> domain.Entry:
    return domain.entry(f"{number:04d}", NOW + timedelta(seconds=number), FACTS | facts)


def test_twice_is_once(make_store: Any) -> None:
    store = make_store(AuditStore)
    store.keep(entry(1))
    store.keep(entry(1, outcome="done"))
    ((found,), after) = store.youngest(outcome=None, actor_id=None, after=None, limit=5)
    assert (found, after) == (entry(1), None)


def test_the_log_is_filtered_and_paged_newest_first(make_store: Any) -> None:
    store = make_store(AuditStore)
    for number in range(7):
        store.keep(entry(number, outcome="done" if number % 2 else "denied", actor_id="a" if number < 4 else None))

    def ids(limit: int = 9, after: str | None = None, **query: Any) -> list[str]:
        wanted = {"outcome": None, "actor_id": None} | query
        return [each["_id"] for each in store.youngest(after=after, limit=limit, **wanted)[0]]

    assert ids(3) == ["0006", "0005", "0004"]
    assert ids(9, "0004") == ["0003", "0002", "0001", "0000"]
    assert ids(outcome="done") == ["0005", "0003", "0001"]
    assert ids(actor_id="a") == ["0003", "0002", "0001", "0000"]
    assert ids(actor_id="a", outcome="denied") == ["0002", "0000"]
    assert store.youngest(outcome=None, actor_id=None, after=None, limit=3)[1] == "0004"


def test_an_entry_is_kept_for_a_year(make_store: Any) -> None:
    indexes = make_store(AuditStore).rows.index_information().values()
    (seconds,) = [each["expireAfterSeconds"] for each in indexes if each["key"] == [("at", 1)]]
    assert seconds == 365 * 86_400
