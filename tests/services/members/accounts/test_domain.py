"""What is true of accounts."""

from datetime import timedelta

import pytest

from services.contracts.errors import Conflict, Forbidden, Hidden, Invalid, NotFound
from services.contracts.history import REMEMBERED
from services.members.account import status
from services.members.accounts import domain as accounts
from tests.services.members.people import ADMINISTRATOR, LATER, NOW, account, root


def test_a_member_has_the_invitations_roles_and_address() -> None:
    joined = account(tags_want=["b", "a", "b"], roles=["administrator"], email="other@hub.example")
    assert joined["roles"] == ["coworker", "mentor"]
    assert joined["email"] == "amara@hub.example"
    assert joined["tags_want"] == ["a", "b"]


def test_a_change_touches_the_profile_only() -> None:
    wanted = {"name": "A.", "roles": ["administrator"], "password_hash": "x", "status": "removed"}
    changed = accounts.change(account(), wanted, now=NOW)
    assert (changed["name"], changed["roles"], changed["password_hash"]) == ("A.", ["coworker", "mentor"], "hash")
    assert changed["status"] == "active"


def test_only_what_others_know_is_told() -> None:
    before = account()
    assert not accounts.told(before, accounts.change(before, {"pronouns": "she/her"}, now=NOW))
    assert accounts.told(before, accounts.change(before, {"tags_have": ["bread"]}, now=NOW))
    assert accounts.told(before, accounts.suspend(before, "a reason", by="root", now=NOW))


def test_how_somebody_is_reached_is_told_when_it_changes() -> None:
    before = account(language="de")
    known = {"member_id": "m", "email": "amara@hub.example", "language": "de", "zone": "", "status": "active"}
    assert accounts.reach(before) == known
    for silent in ({"pronouns": "she/her"}, {"tags_have": ["bread"]}, {"language": "de", "zone": ""}):
        assert not accounts.reached_otherwise(before, accounts.change(before, silent, now=NOW))
    for change in ({"language": "en"}, {"language": ""}, {"zone": "Africa/Nairobi"}):
        after = accounts.change(before, change, now=NOW)
        assert accounts.reached_otherwise(before, after)
        assert not accounts.told(before, after), "it is nobody else's business"
        assert accounts.reach(after).items() >= change.items()


def test_who_takes_no_part_has_no_address() -> None:
    before = account(language="de", zone="Africa/Nairobi")
    suspended = accounts.suspend(before, "a reason", by="root", now=NOW)
    removed = accounts.remove(suspended, by="root", now=NOW)
    assert accounts.reached_otherwise(before, suspended)
    assert [accounts.reach(each)["email"] for each in (before, suspended, removed)] == ["amara@hub.example", None, None]
    assert accounts.reach(suspended)["language"] == "de", "they may come back"
    gone = accounts.reach(removed)
    assert (gone["language"], gone["zone"], gone["status"]) == ("", "", "removed")
    assert accounts.reached_otherwise(suspended, accounts.reinstate(suspended, by="root", now=NOW))


def test_accounts_from_before_there_were_choices_have_none() -> None:
    old = {name: value for name, value in account().items() if name not in accounts.CHOICES}
    assert accounts.reach(old) == accounts.reach(account())
    assert not accounts.reached_otherwise(old, accounts.change(old, {"pronouns": "she/her"}, now=NOW))
    assert (accounts.whole(old)["language"], accounts.whole(old)["zone"]) == ("", "")


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "europe/malta", "localtime", "../../etc/passwd", "posix/UTC"])
def test_a_zone_must_be_one(zone: str) -> None:
    with pytest.raises(Invalid) as refused:
        accounts.change(account(), {"zone": zone}, now=NOW)
    assert [each["field"] for each in refused.value.fields] == ["zone"]
    with pytest.raises(Invalid):
        account(zone=zone)


def test_changes_of_the_profile_push_no_other_deed_out_of_the_history() -> None:
    changed = accounts.assign(account(), ["host"], by="root", now=NOW)
    for number in range(60):
        changed = accounts.change(changed, {"pronouns": str(number)}, now=LATER)
    assert [deed["what"] for deed in changed["history"]] == ["joined", "roles: host", "profile changed"]
    for number in range(60):
        changed = accounts.assign(changed, ["host" if number % 2 else "mentor"], by="root", now=LATER)
    assert len(changed["history"]) == REMEMBERED


def test_what_only_administrators_may_do() -> None:
    with pytest.raises(Forbidden, match="Only administrators knit"):
        accounts.check_administrator(frozenset({"host", "mentor"}), "Only administrators knit.")
    accounts.check_administrator(ADMINISTRATOR, "Only administrators knit.")


def test_nobody_takes_their_own_keys_away() -> None:
    for wrong in (
        lambda: accounts.assign(root(), ["host"], by="root", now=NOW),
        lambda: accounts.suspend(root(), "a reason", by="root", now=NOW),
        lambda: accounts.remove(root(), by="root", now=NOW),
    ):
        with pytest.raises(Conflict):
            wrong()


def test_a_role_that_is_lost_counts_no_more_at_once_and_one_that_is_given_when_it_is_refreshed() -> None:
    lost = accounts.assign(account(), ["coworker"], by="root", now=LATER)
    assert lost["access_changed_at"] == LATER
    given = accounts.assign(account(), ["coworker", "mentor", "host"], by="root", now=LATER)
    assert "access_changed_at" not in given


def test_a_suspended_member_has_no_rights_until_they_are_reinstated() -> None:
    shut = accounts.suspend(root(), "a reason", by="other", now=LATER)
    assert accounts.roles(shut) == frozenset()
    assert (shut["roles"], shut["access_changed_at"]) == (["administrator"], LATER)
    assert accounts.stops_administering(root(), shut)
    assert accounts.facts(shut, actor_id="other")["status"] == "suspended"
    with pytest.raises(Conflict):
        accounts.suspend(shut, "a reason", by="other", now=LATER)
    with pytest.raises(Hidden):
        accounts.visible(shut, frozenset({"host"}))
    assert accounts.visible(shut, ADMINISTRATOR) == shut
    back = accounts.reinstate(shut, by="other", now=LATER)
    assert accounts.roles(back) == ADMINISTRATOR
    with pytest.raises(Conflict):
        accounts.reinstate(back, by="other", now=LATER)


def test_of_a_removed_member_a_name_stays_and_no_way_in() -> None:
    known = account(pronouns="she/her", tags_have=["bread"], country="KE")
    gone = accounts.remove(known, by="root", now=LATER)
    assert (gone["name"], gone["pronouns"], gone["tags_have"], gone["country"]) == ("Amara", "", [], "")
    assert (gone["email"], gone["password_hash"]) == (gone["_id"], None)
    assert "amara@hub.example" not in str(gone)
    assert accounts.roles(gone) == frozenset()
    for wrong in (
        lambda: accounts.visible(gone, ADMINISTRATOR),
        lambda: accounts.assign(gone, ["host"], by="root", now=LATER),
        lambda: accounts.suspend(gone, "a reason", by="root", now=LATER),
        lambda: accounts.reinstate(gone, by="root", now=LATER),
        lambda: accounts.remove(gone, by="root", now=LATER),
    ):
        with pytest.raises(NotFound):
            wrong()


def test_an_account_of_an_earlier_version_is_active() -> None:
    early = {name: value for name, value in root().items() if name != "status"}
    assert status(early) == "active"
    assert accounts.roles(early) == ADMINISTRATOR
    assert accounts.relied_on(early)
    assert accounts.roles(None) == frozenset()


def test_whoever_is_about_to_leave_is_relied_on_again_when_the_mark_is_old() -> None:
    marked = accounts.leaving(root(), NOW)
    assert not accounts.relied_on(marked)
    assert not accounts.forgotten(marked, NOW + accounts.LEAVING_LASTS - timedelta(milliseconds=1))
    assert accounts.forgotten(marked, NOW + accounts.LEAVING_LASTS)
    assert accounts.relied_on(accounts.staying(marked))
    assert not accounts.relied_on(account())
