"""Access tokens that count no more, as one worker knows them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import gevent
import pytest

from gateway.bus.link import Link
from gateway.bus.revoked import GAP, Revoked
from services.contracts.errors import Unauthenticated, Unavailable
from services.ground import identifiers
from services.ground.tokens import Caller

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
MEMBER, SESSION, KEPT = (identifiers.new_id(NOW) for _ in range(3))
NOTHING: dict[str, Any] = {"members": [], "sessions": []}


class Members:
    """Answers what a test wants, and counts how often it is asked."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.asked = 0

    def call(self, capability: str, method: str, kwargs: dict[str, Any], **_more: Any) -> Any:
        assert (capability, method, kwargs) == ("members.sessions", "revoked", {})
        self.asked += 1
        answer = self._answers[min(self.asked, len(self._answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


def revoked(*answers: Any) -> tuple[Revoked, Members]:
    members = Members(*answers)
    made = Revoked(Link("amqp://unused", 10), members)  # type: ignore[arg-type]
    made._learn()
    return made, members


def caller(*roles: str, session: str = SESSION) -> Caller:
    return Caller(MEMBER, frozenset(roles or ("coworker",)), session, 0.0, 1e12)


def a_member(*roles: str, since: datetime | None = None, kept: str | None = None) -> dict[str, Any]:
    found = {"id": MEMBER, "roles": list(roles), "since": since and since.isoformat(), "kept_session": kept}
    return NOTHING | {"members": [found]}


def test_a_token_may_say_no_role_that_was_lost() -> None:
    known, _ = revoked(a_member("coworker"))
    assert known.admits(caller("coworker"))
    assert not known.admits(caller("coworker", "administrator"))
    assert not revoked(a_member())[0].admits(caller("coworker")), "a suspended member has no role"
    assert known.admits(Caller("another", frozenset({"administrator"}), SESSION, 0.0, 1e12))


def test_sessions_end_one_by_one_and_all_but_one() -> None:
    assert not revoked(NOTHING | {"sessions": [SESSION]})[0].admits(caller())
    assert revoked(NOTHING | {"sessions": [KEPT]})[0].admits(caller())
    since = NOW + timedelta(seconds=1)
    known, _ = revoked(a_member("coworker", since=since, kept=KEPT))
    assert not known.admits(caller())
    assert known.admits(caller(session=KEPT))
    assert known.admits(caller(session=identifiers.new_id(since + timedelta(milliseconds=1))))


def test_whoever_is_let_in_again_is_not_refused_by_what_is_over() -> None:
    known, members = revoked(a_member(), a_member("coworker"))
    known.check(caller())
    assert members.asked == 2


def test_what_is_known_stays_known_while_members_is_away() -> None:
    known, members = revoked(a_member(), Unavailable("unavailable", "No answer."))
    with pytest.raises(Unauthenticated) as refused:
        known.check(caller())
    assert (refused.value.code, members.asked) == ("token_revoked", 2)


def test_many_who_are_refused_share_the_asking() -> None:
    known, members = revoked(a_member())

    def refuse() -> str:
        try:
            known.check(caller())
        except Unauthenticated as refusal:
            return refusal.code
        return "admitted"

    gevent.sleep(GAP)
    found = [each.value for each in gevent.joinall([gevent.spawn(refuse) for _ in range(100)])]
    assert found == ["token_revoked"] * 100
    assert members.asked <= 3, "the first, and those who came while it was under way"
