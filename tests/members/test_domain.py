"""Sessions, without any machinery."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings, strategies
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule

from services.contracts.errors import TooMany, Unauthenticated
from services.members.sessions import domain as sessions

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


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
    claims = sessions.claims(
        sessions.open_session("m", "s", place="p", id="sid", now=NOW), ["mentor", "coworker"], "a", NOW
    )
    assert claims["exp"] - claims["iat"] == 15 * 60
    assert (claims["sub"], claims["sid"], claims["roles"]) == ("m", "sid", ["coworker", "mentor"])
