"""Sessions, without any machinery."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings, strategies
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule

from services.contracts.errors import Forbidden, TooMany, Unauthenticated
from services.members.account import active
from services.members.sessions import domain as sessions

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


class Family(RuleBasedStateMachine):
    """The newest refresh token of a session works. A token that was used within 30 s returns the newest."""

    tokens = Bundle("tokens")
    patient = False

    @initialize(target=tokens)
    def begin(self) -> str:
        self.now = self.renewed_at = NOW
        self.youngest, self.previous = "s0", ""
        self.session = sessions.open_session("m", "s0", place="p", id="s", now=NOW, patient=self.patient)
        self.used_at = dict[str, datetime]()
        return "s0"

    @rule(seconds=strategies.sampled_from([1, 20, 29.9, 3600, 86_399, 20 * 86_400]))
    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(target=tokens, secret=tokens)
    def refresh(self, secret: str) -> str:
        over = self.now >= min(self.renewed_at + timedelta(days=30), NOW + timedelta(days=90))
        try:
            session = sessions.alive(self.session, self.now)
        except Unauthenticated:
            assert over or self.session["ended"] == "token_reused"
            return secret
        assert not over
        used_at = self.used_at.get(secret, self.now)
        lasts = timedelta(days=1) if self.patient and secret == self.previous else timedelta(seconds=30)
        works = secret == self.youngest or self.now < used_at + lasts
        assert sessions.reused(session, secret, self.now) != works
        if not works:
            self.session = session | {"ended": "token_reused"}
            return secret
        fresh = f"s{len(self.used_at) + 1}"
        self.session, given = sessions.renew(session, secret, fresh, self.now)
        if secret == self.youngest:
            self.used_at[secret], self.renewed_at = self.now, self.now
            self.previous, self.youngest = secret, fresh
        assert given == self.youngest
        return given


class Patient(Family):
    """The session of a browser: the previous token works for a day, until the youngest is used."""

    patient = True


TestFamily, TestPatient = Family.TestCase, Patient.TestCase
TestPatient.settings = settings(max_examples=200, stateful_step_count=15, deadline=None)
TestFamily.settings = settings(max_examples=100, stateful_step_count=15, deadline=None)


def rotated(session: sessions.Session, *used: str, now: datetime = NOW) -> sessions.Session:
    """The session after these tokens were used; each brings the next in the alphabet."""
    for each in used:
        session, _ = sessions.renew(session, each, chr(ord(each) + 1), now)
    return session


def account() -> sessions.Account:
    return {"_id": "m", "email": "amara@hub.example", "roles": ["coworker"], "password_hash": "hash"}


def a_session(secret: str = "a", **changes: Any) -> sessions.Session:
    return sessions.open_session("m", secret, place="p", id="s", now=NOW) | changes


def test_who_steals_the_store_gets_no_token() -> None:
    first, second, third = (sessions.new_secret() for _ in range(3))
    session = a_session(first)
    for used, fresh in ((first, second), (second, third)):
        session, _ = sessions.renew(session, used, fresh, NOW)
    assert [sessions.renew(session, each, "new", NOW)[1] for each in (first, second)] == [third, third]
    kept = str(session)
    assert len(session["recent"]) == 2
    assert not [each for each in (first, second, third) if each in kept]
    veiled = {each["hash"]: each["next"] for each in session["recent"]}
    for known in veiled:  # the hash of a token does not open the next one
        assert second not in str(sessions.renew(session | {"recent": session["recent"][:1]}, known, "new", NOW))


def test_what_is_remembered_of_tokens_is_bounded_and_nobody_loses_the_grace() -> None:
    session = a_session("0")
    for number in range(40):
        session, _ = sessions.renew(session, str(min(number, 20)), str(number + 1), NOW)
    assert len(session["recent"]) == 20
    assert {sessions.renew(session, str(number), "x", NOW)[1] for number in range(21)} == {"20"}
    later = NOW + timedelta(seconds=30)
    session, youngest = sessions.renew(session, "20", "21", later)
    assert (len(session["recent"]), youngest) == (1, "21")


def saved_by_the_version_before(**changes: Any) -> sessions.Session:
    """A session of which `b` is the youngest token and `a` the one before, which may be used once more."""
    session = a_session("b", forgiven_hash=sessions.digest("a"), **changes)
    del session["recent"]
    return session


def test_a_session_of_the_version_before_goes_on() -> None:
    session, youngest = sessions.renew(saved_by_the_version_before(), "b", "c", NOW)
    assert [sessions.renew(session, each, "x", NOW)[1] for each in "bc"] == ["c", "x"]
    assert youngest == "c"
    assert sessions.reused(session, "a", NOW)


def test_what_the_version_before_forgives_is_forgiven() -> None:
    session = saved_by_the_version_before()
    assert not sessions.reused(session, "a", NOW)
    session, youngest = sessions.renew(session, "a", "c", NOW)
    assert youngest == "c"
    assert [sessions.renew(session, each, "x", NOW)[1] for each in "ac"] == ["c", "x"]
    assert not sessions.reused(session, "b", NOW), "a client that has this token may not have lost it"
    assert sessions.reused(saved_by_the_version_before(), "a", NOW + timedelta(seconds=30))


def test_the_version_before_can_read_what_this_one_saves() -> None:
    session = rotated(a_session(), "a")
    assert (session["forgiven_hash"], session["changed_at"]) == (sessions.digest("a"), NOW)
    by_the_version_before = session | {"token_hash": sessions.digest("z"), "forgiven_hash": sessions.digest("b")}
    assert sessions.renew(by_the_version_before, "a", "c", NOW)[1] == "c", "a leads to b, which is forgiven"


def test_a_session_lasts_90_days_at_most() -> None:
    session, now = a_session(), NOW
    for _ in range(4):
        now += timedelta(days=29)
        if now >= NOW + timedelta(days=90):
            break
        session = rotated(sessions.alive(session, now), *"a", now=now) | {"token_hash": sessions.digest("a")}
        assert session["expires_at"] <= NOW + timedelta(days=90)
    assert session["expires_at"] == NOW + timedelta(days=90)
    assert sessions.alive(session, NOW + timedelta(days=90, seconds=-1))
    for older in (session, session | {"expires_at": now + timedelta(days=30)}):  # as the version before saved it
        with pytest.raises(Unauthenticated):
            sessions.alive(older, NOW + timedelta(days=90))


@pytest.mark.parametrize("window", [sessions.HERE, sessions.ANYWHERE, sessions.DEVICE])
def test_so_many_attempts_may_fail(window: sessions.Window) -> None:
    ends_at = NOW + timedelta(seconds=61.5)
    sessions.allow(window, {"tries": window.most, "ends_at": ends_at}, NOW)
    with pytest.raises(TooMany) as refused:
        sessions.allow(window, {"tries": window.most + 1, "ends_at": ends_at}, NOW)
    assert (refused.value.code, refused.value.after) == ("too_many_attempts", 62)


@pytest.mark.parametrize("days", [0, 1, 179])
def test_a_device_is_its_members_for_180_days(days: int) -> None:
    device = sessions.new_device("m", "token", NOW)
    assert "token" not in str(device)
    assert sessions.own_device(device, account(), NOW + timedelta(days=days)) == device
    assert sessions.own_device(device, account() | {"_id": "other"}, NOW) is None
    assert sessions.own_device(device, None, NOW) is None
    assert sessions.own_device(None, account(), NOW) is None
    assert sessions.own_device(device, account(), sessions.day(NOW) + timedelta(days=180)) is None


@pytest.mark.parametrize("status", [None, "active", "suspended", "removed"])
def test_only_who_is_active_is_let_in(status: str | None) -> None:
    member = account() | ({} if status is None else {"status": status})
    if status in (None, "active"):
        sessions.admit(member)
        return
    assert not active(member)
    with pytest.raises(Forbidden):
        sessions.admit(member)


def test_a_session_ends_by_itself() -> None:
    session = a_session()
    assert sessions.alive(session, NOW + sessions.REFRESH_LASTS - timedelta(seconds=1))
    with pytest.raises(Unauthenticated):
        sessions.alive(session, NOW + sessions.REFRESH_LASTS)


@pytest.mark.parametrize("token", ["", "x", "no-dot-in-it"])
def test_malformed_refresh_tokens_are_refused(token: str) -> None:
    with pytest.raises(Unauthenticated):
        sessions.parts(token)


def test_an_access_token_says_who_until_when() -> None:
    session = sessions.open_session("m", "s", place="p", id="sid", now=NOW)
    claims = sessions.claims(session, {"roles": ["mentor", "coworker"], "zone": ""}, "a", "seal", NOW)
    assert claims["exp"] - claims["iat"] == timedelta(minutes=15)
    assert (claims["sub"], claims["sid"], claims["roles"]) == ("m", "sid", ["coworker", "mentor"])
    assert not {"locale", "zoneinfo"} & claims.keys(), "they chose neither"
    account = {"roles": ["mentor"], "language": "de", "zone": "Africa/Nairobi"}
    claims = sessions.claims(session, account, "a", "seal", NOW)
    assert (claims["locale"], claims["zoneinfo"]) == ("de", "Africa/Nairobi")
