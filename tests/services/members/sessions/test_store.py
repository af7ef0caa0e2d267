"""Sessions, attempts and devices on a real store."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from services.members.sessions import domain as sessions
from services.members.sessions.store import AttemptStore, DeviceStore, SessionStore

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


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
