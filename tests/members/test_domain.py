"""Accounts, invitations and sessions, without any machinery."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings, strategies
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule

from services.contracts.errors import Conflict, Forbidden, Invalid, TooMany, Unauthenticated
from services.members.accounts import domain as accounts
from services.members.sessions import domain as sessions

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
ADMINISTRATOR = frozenset({"administrator"})


def invitation(**changes: Any) -> accounts.Invitation:
    draft = {"email": " Amara@Hub.example ", "roles": ["mentor", "coworker", "mentor"]} | changes
    return accounts.invite(draft, "the-code", by="root", roles=ADMINISTRATOR, id="i", now=NOW)


def account(**registration: Any) -> accounts.Account:
    return accounts.join({"name": "Amara", **registration}, invitation(), "hash", id="m", now=NOW)


def test_only_administrators_invite() -> None:
    with pytest.raises(Forbidden):
        accounts.invite(
            {"email": "a@b.c", "roles": ["coworker"]}, "c", by="m", roles=frozenset({"host"}), id="i", now=NOW
        )


def test_an_invitation_keeps_no_code() -> None:
    assert "the-code" not in json.dumps(invitation(), default=str)
    assert invitation()["roles"] == ["coworker", "mentor"]
    assert invitation()["email"] == "amara@hub.example"


def test_an_invitation_needs_a_role() -> None:
    with pytest.raises(Invalid):
        invitation(roles=[])


@pytest.mark.parametrize("spoiled", [None, {"used_by": "m"}, {"expires_at": NOW}])
def test_a_spoiled_invitation_opens_nothing(spoiled: dict[str, Any] | None) -> None:
    with pytest.raises(Invalid) as refused:
        accounts.check_invitation(spoiled and invitation() | spoiled, NOW)
    assert refused.value.fields[0]["field"] == "code"


def test_a_member_has_the_invitations_roles_and_address() -> None:
    joined = account(tags_want=["b", "a", "b"], roles=["administrator"], email="other@hub.example")
    assert joined["roles"] == ["coworker", "mentor"]
    assert joined["email"] == "amara@hub.example"
    assert joined["tags_want"] == ["a", "b"]


def test_a_change_touches_the_profile_only() -> None:
    changed = accounts.change(account(), {"name": "A.", "roles": ["administrator"], "password_hash": "x"}, now=NOW)
    assert (changed["name"], changed["roles"], changed["password_hash"]) == ("A.", ["coworker", "mentor"], "hash")


def test_only_what_others_know_is_told() -> None:
    before = account()
    assert not accounts.told(before, accounts.change(before, {"pronouns": "she/her"}, now=NOW))
    assert accounts.told(before, accounts.change(before, {"tags_have": ["bread"]}, now=NOW))


def test_roles_are_the_administrators_to_give() -> None:
    member = account()
    with pytest.raises(Forbidden):
        accounts.assign(member, ["administrator"], by="m", having=frozenset({"host"}), now=NOW)
    assert accounts.assign(member, ["host"], by="root", having=ADMINISTRATOR, now=NOW)["roles"] == ["host"]


def test_nobody_takes_their_own_keys_away() -> None:
    root = accounts.found({"name": "Root", "email": "root@hub.example"}, "hash", id="root", now=NOW)
    with pytest.raises(Conflict):
        accounts.assign(root, ["host"], by="root", having=ADMINISTRATOR, now=NOW)


class Family(RuleBasedStateMachine):
    """The youngest refresh token of a session works, the one before it once and for a while; any other ends it."""

    tokens = Bundle("tokens")

    @initialize(target=tokens)
    def begin(self) -> str:
        self.now = NOW
        self.youngest, self.session = "s0", sessions.open_session("m", "s0", place="p", id="s", now=NOW)
        self.forgiven, self.until = "", NOW
        self.number = 0
        return "s0"

    @rule(seconds=strategies.sampled_from([1, 20, 29.9]))
    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(target=tokens, secret=tokens)
    def refresh(self, secret: str) -> str:
        try:
            session = sessions.alive(self.session, self.now)
        except Unauthenticated:
            assert self.session["ended"] == "token_reused"
            return secret
        works = secret == self.youngest or (secret == self.forgiven and self.now < self.until)
        assert sessions.reused(session, secret, self.now) != works
        if not works:
            self.session = session | {"ended": "token_reused"}
            return secret
        self.number += 1
        self.forgiven, self.until = secret if secret == self.youngest else "", self.now + timedelta(seconds=30)
        self.youngest = f"s{self.number}"
        self.session = sessions.rotate(session, secret, self.youngest, self.now)
        return self.youngest


TestFamily = Family.TestCase
TestFamily.settings = settings(max_examples=100, stateful_step_count=15, deadline=None)


@pytest.mark.parametrize("window", [sessions.HERE, sessions.ANYWHERE])
def test_so_many_attempts_may_fail(window: sessions.Window) -> None:
    ends_at = NOW + timedelta(seconds=61.5)
    sessions.allow(window, {"tries": window.most, "ends_at": ends_at}, NOW)
    with pytest.raises(TooMany) as refused:
        sessions.allow(window, {"tries": window.most + 1, "ends_at": ends_at}, NOW)
    assert (refused.value.code, refused.value.after) == ("too_many_attempts", 62)


def test_traces_differ_and_show_nothing() -> None:
    pairs = [("a", "b@c", "1"), ("a", "b@c", "2"), ("b", "b@c", "1"), ("a", "b@c1", "")]
    traces = {sessions.trace(*each) for each in pairs}
    assert len(traces) == 4
    assert not any("b@c" in each for each in traces)


def test_a_session_ends_by_itself() -> None:
    session = sessions.open_session("m", "s", place="p", id="s", now=NOW)
    assert sessions.alive(session, NOW + sessions.REFRESH_LASTS - timedelta(seconds=1))
    with pytest.raises(Unauthenticated):
        sessions.alive(session, NOW + sessions.REFRESH_LASTS)


@pytest.mark.parametrize("token", ["", "x", "no-dot-in-it"])
def test_malformed_refresh_tokens_are_refused(token: str) -> None:
    with pytest.raises(Unauthenticated):
        sessions.parts(token)


def test_an_access_token_says_who_until_when() -> None:
    claims = sessions.claims(sessions.open_session("m", "s", place="p", id="sid", now=NOW), ["mentor", "coworker"], "a", NOW)
    assert claims["exp"] - claims["iat"] == 15 * 60
    assert (claims["sub"], claims["sid"], claims["roles"]) == ("m", "sid", ["coworker", "mentor"])
