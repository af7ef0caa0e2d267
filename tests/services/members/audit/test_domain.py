"""What is true of the audit log."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.contracts.errors import Forbidden
from services.contracts.messages.gateway import GATEWAY_NOTED
from services.contracts.shapes.audit import AuditEntry
from services.ground import identifiers
from services.members.audit import domain

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
ROOT, OTHER = (identifiers.new_id(NOW) for _ in range(2))
FACTS = GATEWAY_NOTED.read(GATEWAY_NOTED.example)
NAMES = {"actor_name": None, "subject_name": None}  # joined when an entry is read


def entry(number: int, **facts: Any) -> domain.Entry:
    return domain.entry(f"{number:04d}", NOW + timedelta(seconds=number), FACTS | facts)


def test_administrators_read_it_and_nobody_else() -> None:
    domain.check_reader(["coworker", "administrator"])
    for roles in ([], ["host", "mentor", "trainer", "coworker", "hub_user"]):
        with pytest.raises(Forbidden):
            domain.check_reader(roles)


def test_an_entry_holds_these_facts_only() -> None:
    kept = domain.entry("id", NOW, FACTS | {"email": "amara@hub.example"})
    assert kept == FACTS | {"_id": "id", "at": NOW, "before": None, "after": None}
    assert set(AuditEntry().fields) == set(kept) - {"_id"} | {"id"} | NAMES.keys()
    read = domain.reading("list_audit_entries", ROOT, "203.0.113.0/24", OTHER, NOW)
    assert (read["operation"], read["actor_id"], read["outcome"]) == ("list_audit_entries", ROOT, "done")
    AuditEntry().load(AuditEntry().dump({**read, **NAMES}))


def test_an_entry_of_an_earlier_version_is_read_too() -> None:
    early = {name: value for name, value in entry(1).items() if name not in ("before", "after")}
    shown = AuditEntry().dump(domain.complete(early | {"_id": ROOT}) | NAMES)
    assert (shown["before"], shown["after"]) == (None, None)
    AuditEntry().load(shown)
