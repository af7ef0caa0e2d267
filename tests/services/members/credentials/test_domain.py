"""What is true of passwords and of the rights to change them."""

from datetime import timedelta

import pytest

from services.contracts.errors import Conflict, Invalid, Unauthenticated
from services.members.accounts import domain as accounts
from services.members.credentials import domain as credentials
from tests.services.members.people import ADMINISTRATOR, LATER, NOW, account


def test_a_changed_password_ends_all_sessions_but_the_one_at_hand() -> None:
    changed = credentials.change(account(), "other hash", but_session="s1", now=LATER)
    assert (changed["password_hash"], changed["access_changed_at"]) == ("other hash", LATER)
    assert credentials.admits(changed, "s1", NOW)
    assert not credentials.admits(changed, "s2", NOW)
    assert not credentials.admits(changed, "s3", LATER), "opened in the same millisecond, perhaps before"
    assert credentials.admits(changed, "s4", LATER + timedelta(milliseconds=1))
    assert credentials.admits(account(), "s2", NOW)
    with pytest.raises(Unauthenticated):
        credentials.check_password(False)
    credentials.check_password(True)


def test_a_reset_works_once_and_while_its_issuer_administers() -> None:
    issued = credentials.issue(account(), "hash of the code", by="root", now=NOW)
    assert credentials.usable(issued, issuers=ADMINISTRATOR, now=LATER) == issued
    done = credentials.reset(issued, "other hash", now=LATER)
    assert (done["password_hash"], done["reset"]) == ("other hash", None)
    assert not credentials.admits(done, "s1", NOW)
    over = NOW + credentials.RESET_LASTS
    spoiled = [
        (None, ADMINISTRATOR, LATER),
        (done, ADMINISTRATOR, LATER),
        (issued, frozenset({"host"}), LATER),
        (issued, ADMINISTRATOR, over),
        (accounts.suspend(issued, "a reason", by="root", now=LATER), ADMINISTRATOR, LATER),
        (accounts.remove(issued, by="root", now=LATER), ADMINISTRATOR, LATER),
    ]
    for found, issuers, now in spoiled:
        with pytest.raises(Invalid) as refused:
            credentials.usable(found, issuers=issuers, now=now)
        assert refused.value.fields[0]["field"] == "code"
    with pytest.raises(Conflict):
        credentials.issue(accounts.suspend(account(), "a reason", by="root", now=NOW), "h", by="root", now=NOW)


def test_a_reset_from_the_machine_itself_needs_no_administrator() -> None:
    issued = credentials.issue(account(), "hash of the code", by=None, now=NOW)
    assert credentials.usable(issued, issuers=frozenset(), now=LATER) == issued


def test_an_administrator_ends_the_sessions_of_a_member() -> None:
    ended = credentials.end_sessions(account(), by="root", now=LATER)
    assert not credentials.admits(ended, "s1", NOW)
    assert ended["history"][-1] == {"at": LATER, "by": "root", "what": "sessions ended"}
