"""Accounts, invitations and sessions on a real store."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.contracts.errors import Conflict
from services.members.accounts import domain as accounts
from services.members.accounts.store import AccountStore
from services.members.invitations import domain as invitations
from services.members.invitations.domain import Invitation
from services.members.invitations.store import InvitationStore
from services.members.sessions import domain as sessions
from services.members.sessions.store import AttemptStore, DeviceStore, SessionStore

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


def account(number: int, **person: Any) -> accounts.Account:
    given = {"name": f"N{number}", "email": f"n{number}@hub.example", **person}
    return accounts.found(given, "hash", id=f"{number:04d}", now=NOW)


def test_an_address_belongs_to_one(make_store: Any) -> None:
    store = make_store(AccountStore)
    store.add(account(1))
    with pytest.raises(Conflict):
        store.add(account(2, email="N1@HUB.example"))
    assert store.by_address("n1@hub.example")["_id"] == "0001"
    assert store.by_address("nobody@hub.example") is None


def test_the_directory_is_filtered_and_paged(make_store: Any) -> None:
    store = make_store(AccountStore)
    for number in range(7):
        tags = {"tags_have": ["bread"]} if number % 2 else {"tags_want": ["bread"]} if number == 4 else {}
        store.add(account(number, **tags) | {"roles": ["mentor"] if number < 3 else ["host"]})
    everybody, after = store.directory(suspended=False, role=None, tag=None, after=None, limit=5)
    assert [each["_id"] for each in everybody] == [f"{number:04d}" for number in range(5)]
    rest, end = store.directory(suspended=False, role=None, tag=None, after=after, limit=5)
    assert ([each["_id"] for each in rest], end) == (["0005", "0006"], None)
    assert len(store.directory(suspended=False, role="mentor", tag=None, after=None, limit=5)[0]) == 3
    with_bread = store.directory(suspended=False, role=None, tag="bread", after=None, limit=9)[0]
    assert [each["_id"] for each in with_bread] == ["0001", "0003", "0004", "0005"]
    assert [
        each["_id"] for each in store.directory(suspended=False, role="mentor", tag="bread", after=None, limit=9)[0]
    ] == ["0001"]
    assert "outbox" not in everybody[0]


def test_the_roll_has_all_accounts_page_by_page(make_store: Any) -> None:
    store = make_store(AccountStore)
    for number in range(4):
        store.add(account(number) | {"roles": ["mentor"] if number % 2 else [], "status": "suspended"})
    first, after = store.roll(role=None, after=None, limit=3)
    assert [each["_id"] for each in first] == ["0000", "0001", "0002"]
    assert [each["_id"] for each in store.roll(role=None, after=after, limit=3)[0]] == ["0003"]
    assert [each["_id"] for each in store.roll(role="mentor", after=None, limit=3)[0]] == ["0001", "0003"]


def test_a_tag_is_offered_and_wanted_in_one_list(make_store: Any) -> None:
    store = make_store(AccountStore)
    for number, offered, wanted in (
        (1, True, False),
        (2, False, True),
        (3, True, True),
        (4, False, False),
        (5, True, False),
    ):
        store.add(account(number, tags_have=["bread"] * offered, tags_want=["bread"] * wanted))
    for limit, pages in (1, ["1", "2", "3", "5"]), (2, ["12", "35"]), (3, ["123", "5"]), (4, ["1235"]):
        found, after = list[str](), None
        while not found or after is not None:
            page, after = store.directory(suspended=False, role=None, tag="bread", after=after, limit=limit)
            found.append("".join(each["_id"][-1] for each in page))
        assert found == pages
    assert store.directory(suspended=False, role=None, tag="salt", after=None, limit=1) == ([], None)


def test_an_invitation_is_found_by_its_code_only(make_store: Any) -> None:
    store = make_store(InvitationStore)
    store.add(invited("i"))
    assert store.by_code("hash of i")["_id"] == "i"
    assert store.by_code("i") is None


def invited(id: str, email: str = "a@hub.example", by: str = "root") -> Invitation:
    return invitations.invite({"roles": ["coworker"]}, email, f"hash of {id}", by=by, id=id, now=NOW)


def test_an_invitation_of_an_earlier_version_names_who_sent_it_too(make_store: Any) -> None:
    store = make_store(InvitationStore)
    store.add(invited("1"))
    store.rows.update_one({"_id": "1"}, {"$unset": {"by": ""}})
    store.prepare()
    assert store.get("1")["by"] == "root"
    store.close("root", NOW)
    assert invitations.state(store.get("1"), NOW) == "withdrawn"


def test_an_address_has_one_open_invitation(make_store: Any) -> None:
    store = make_store(InvitationStore)
    first = store.add(invited("1"))
    store.add(invited("2", "b@hub.example"))
    with pytest.raises(Conflict):
        store.add(invited("3"))
    assert store.open_for("a@hub.example")["_id"] == "1"
    store.save(invitations.withdraw(first, by="root", now=NOW))
    assert store.open_for("a@hub.example") is None
    store.add(invited("3"))
    early = {name: value for name, value in invited("4").items() if name not in ("open_for", "withdrawn_at", "by")}
    store.rows.insert_many([early | {"_id": id, "code_hash": id} for id in ("e1", "e2")])
    assert len(store.youngest(after=None, limit=9)[0]) == 5, "those of earlier versions are in nobody's way"


def test_invitations_end_with_who_sent_them_and_with_who_leaves(make_store: Any) -> None:
    store = make_store(InvitationStore)
    for id, email, by in (("1", "a@h.example", "x"), ("2", "b@h.example", "x"), ("3", "c@h.example", "y")):
        store.add(invited(id, email, by))
    store.save(invitations.use(store.get("2"), "m", NOW))
    store.close("x", NOW)
    assert [invitations.state(store.get(id), NOW) for id in "123"] == ["withdrawn", "used", "open"]
    store.close_for("b@h.example", NOW)
    assert [invitations.state(store.get(id), NOW) for id in "123"] == ["withdrawn", "withdrawn", "open"]


def test_an_administrator_who_leaves_is_not_relied_on(make_store: Any) -> None:
    store = make_store(AccountStore)
    people = {
        id: store.add(accounts.found({"name": id, "email": f"{id}@hub.example"}, "hash", id=id, now=NOW))
        for id in "abc"
    }
    assert store.others_administer("a", NOW)
    store.save(accounts.leaving(people["b"], NOW))
    store.save(accounts.suspend(people["c"], "a reason", by="a", now=NOW))
    assert not store.others_administer("a", NOW)
    stale = NOW + accounts.LEAVING_LASTS
    assert store.others_administer("a", stale), "the process that marked b has died"
    with pytest.raises(Conflict):
        store.save(accounts.leaving(people["b"], NOW) | {"version": 2})
    assert store.get("b")["leaving_at"] is None


def test_signing_out_everywhere_ends_the_members_open_sessions(make_store: Any) -> None:
    store = make_store(SessionStore)
    for number, member in enumerate(["a", "a", "b"]):
        store.add(sessions.open_session(member, "secret", place="p", id=str(number), now=NOW))
    store.end("0", "token_reused", NOW)
    store.end_all("a", "signed_out", NOW)
    assert [store.get(id)["ended"] for id in "012"] == ["token_reused", "signed_out", None]


def test_the_other_sessions_of_a_member_end(make_store: Any) -> None:
    store = make_store(SessionStore)
    for number, member in enumerate(["a", "a", "b", "a"]):
        store.add(sessions.open_session(member, "secret", place="p", id=str(number), now=NOW))
    store.end("3", "signed_out", NOW)
    store.end_others("a", "1", "password_changed", NOW)
    assert [store.get(id)["ended"] for id in "0123"] == ["password_changed", None, None, "signed_out"]


def test_where_sessions_of_the_version_before_were_opened_is_forgotten(make_store: Any) -> None:
    store = make_store(SessionStore)
    store.add(sessions.open_session("a", "secret", place="keyed", id="new", now=NOW))
    before = sessions.open_session("a", "secret", place="", id="old", now=NOW) | {"place": "without a key"}
    del before["opened_from"]
    store.rows.create_index([("place", 1), ("opened_at", 1)])
    store.add(before)
    for _ in range(2):
        store.prepare()
        assert "without a key" not in str(list(store.rows.find()))
        assert "place_1_opened_at_1" not in store.rows.index_information()
    assert (store.get("old")["member_id"], store.get("new")["opened_from"]) == ("a", "keyed")


def test_a_place_is_familiar_for_a_while(make_store: Any) -> None:
    store = make_store(SessionStore)
    store.add(sessions.open_session("a", "secret", place="home", id="1", now=NOW))
    store.end_all("a", "signed_out", NOW)
    assert store.opened_at("home", NOW)
    assert not store.opened_at("home", NOW + timedelta(seconds=1))
    assert not store.opened_at("elsewhere", NOW)


def test_of_a_member_twenty_devices_are_known(make_store: Any) -> None:
    store = make_store(DeviceStore)
    store.add(sessions.new_device("b", "another's", NOW - timedelta(days=99)))
    tokens = [f"token {number}" for number in range(22)]
    for number, token in enumerate(tokens):
        store.add(sessions.new_device("a", token, NOW + timedelta(days=number)))
    assert [each for each in tokens if store.find(sessions.digest(each)) is None] == tokens[:2], "seen longest ago"
    store.see(sessions.digest(tokens[2]), NOW + timedelta(days=30))
    for number in range(40):
        store.add(sessions.new_device("a", f"of a program {number}", NOW + timedelta(days=40, hours=number)))
    assert store.find(sessions.digest(tokens[2]))["proven"], "what comes back is not pushed out by what never does"
    assert store.rows.count_documents({"member_id": "a"}) == 20
    assert store.find(sessions.digest("another's"))["member_id"] == "b"


def test_devices_are_forgotten(make_store: Any) -> None:
    store = make_store(DeviceStore)
    for number, member in enumerate("aab"):
        store.add(sessions.new_device(member, str(number), NOW))
    store.forget("a")
    assert [each["member_id"] for each in store.rows.find()] == ["b"]
    indexes = store.rows.index_information().values()
    (seconds,) = [each["expireAfterSeconds"] for each in indexes if each["key"] == [("seen_on", 1)]]
    assert seconds == 180 * 86_400


def test_a_password_is_renewed_only_while_it_is_the_same(make_store: Any) -> None:
    store = make_store(AccountStore)
    before = store.add(account(1))
    store.renew_password("0001", "another hash", "new")
    assert store.get("0001") == before
    store.renew_password("0001", "hash", "new")
    assert store.get("0001") == before | {"password_hash": "new"}
    store.save(before | {"name": "Amara"})  # by a process that had read it before: no conflict


def test_attempts_at_once_are_counted_one_by_one(make_store: Any) -> None:
    store = make_store(AttemptStore)
    later = NOW + timedelta(minutes=1)
    with ThreadPoolExecutor(30) as pool:
        found = list(pool.map(lambda _: store.count("t", NOW, later)["tries"], range(90)))
    assert sorted(found) == list(range(1, 91))
    with ThreadPoolExecutor(30) as pool:  # its window has ended: they all find the row of before
        found = list(pool.map(lambda _: store.count("t", later, later + timedelta(minutes=1))["tries"], range(90)))
    assert sorted(found) == list(range(1, 91))


def test_an_attempt_that_was_none_and_those_before(make_store: Any) -> None:
    store = make_store(AttemptStore)
    later = NOW + timedelta(minutes=1)
    rows = [store.count("t", NOW, later) for _ in range(3)]
    assert {row["ends_at"] for row in rows} == {later}
    store.uncount([rows[2]])
    assert store.count("t", NOW, later)["tries"] == 3
    store.count("t", later, later + timedelta(minutes=1))
    store.uncount([rows[0]])
    assert store.count("t", later, NOW)["tries"] == 2, "what is over takes nothing from what is now"
    store.forget(rows[0])
    assert store.count("t", NOW, later)["tries"] == 1
