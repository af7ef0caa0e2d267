"""Invitations, without any machinery."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.contracts.errors import Conflict, Invalid
from services.members import codes
from services.members.invitations import domain

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
LATER = NOW + timedelta(days=3)
ADMINISTRATOR = frozenset({"administrator"})


def invitation(**changes: Any) -> domain.Invitation:
    made = domain.invite({"roles": ["mentor", "coworker", "mentor"]}, "a@h.example", "hash", by="root", id="i", now=NOW)
    return made | changes


def opens(found: domain.Invitation | None, **changes: Any) -> domain.Invitation:
    known: dict[str, Any] = {"joined": False, "inviters": ADMINISTRATOR, "now": LATER} | changes
    return domain.usable(found, **known)


def test_an_invitation_needs_a_role() -> None:
    assert invitation()["roles"] == ["coworker", "mentor"]
    with pytest.raises(Invalid):
        domain.invite({"roles": []}, "a@h.example", "hash", by="root", id="i", now=NOW)


SPOILED = [
    (None, {}, "has this code"),
    (invitation(used_by="m"), {"joined": True}, "has been used"),
    (domain.withdraw(invitation(), by="root", now=NOW), {}, "withdrawn"),
    (invitation(), {"inviters": frozenset({"host"})}, "withdrawn"),
    (invitation(), {"inviters": frozenset()}, "withdrawn"),
    (invitation(), {"now": NOW + domain.LASTS}, "expired"),
]


@pytest.mark.parametrize(("spoiled", "how", "says"), SPOILED)
def test_a_spoiled_invitation_opens_nothing_and_says_why(
    spoiled: domain.Invitation | None, how: dict[str, Any], says: str
) -> None:
    with pytest.raises(Invalid, match=says) as refused:
        opens(spoiled, **how)
    assert refused.value.fields[0]["field"] == "code"


def test_one_that_was_used_by_nobody_in_the_end_opens_again() -> None:
    interrupted = domain.use(invitation(), "m", LATER)
    assert opens(interrupted, joined=False) == interrupted
    with pytest.raises(Invalid):
        opens(interrupted, joined=True)


def test_to_invite_again_changes_the_one_there_is() -> None:
    again = domain.renew(invitation(), "hash", by="other", now=LATER, roles=["coworker"])
    assert (again["_id"], again["roles"], again["by"]) == ("i", ["coworker"], "other")
    assert again["expires_at"] == LATER + domain.LASTS
    assert domain.renew(invitation(), "hash", by="root", now=LATER)["roles"] == ["coworker", "mentor"]


@pytest.mark.parametrize("closed", [domain.use(invitation(), "m", NOW), domain.withdraw(invitation(), by="r", now=NOW)])
def test_what_is_closed_stays_closed(closed: domain.Invitation) -> None:
    assert closed["open_for"] == closed["_id"]
    with pytest.raises(Conflict):
        domain.renew(closed, "hash", by="root", now=LATER)
    with pytest.raises(Conflict):
        domain.withdraw(closed, by="root", now=LATER)


def test_its_state_is_told_and_of_an_early_one_too() -> None:
    early = {name: value for name, value in invitation().items() if name not in ("withdrawn_at", "open_for")}
    assert domain.state(early, LATER) == "open"
    assert opens(early) == early
    assert domain.state(early, NOW + domain.LASTS) == "expired"
    assert domain.state(domain.use(early, "m", LATER), LATER) == "used"
    assert domain.state(domain.withdraw(early, by="root", now=LATER), LATER) == "withdrawn"


def test_a_code_is_kept_as_a_hash_and_has_160_bits() -> None:
    made = codes.code_of("ab" * 32)
    assert len(made) == len(codes.new_code()) == 27
    assert made != codes.code_of("ac" * 32)
    assert made not in codes.digest(made)
