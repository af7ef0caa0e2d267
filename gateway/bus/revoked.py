"""Access that was taken away: access tokens that are void although they have not expired.

A worker asks the members service for them: when it connects, when it hears that a member has changed, and every EVERY
seconds in any case. While members does not answer, it keeps the last answer.
"""

import time
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import amqp
import gevent
from gevent.event import Event
from gevent.lock import BoundedSemaphore

from gateway.bus.link import Link, ear
from gateway.bus.rpc import Client, ask
from services.contracts.calls.sessions import TELL_LOST_ACCESS
from services.contracts.errors import Refusal, Unauthenticated
from services.contracts.messages.members import MEMBERS_CHANGED
from services.ground import identifiers
from services.ground.logs import log
from services.ground.tokens import Caller

HEARS = (MEMBERS_CHANGED,)
EVERY = 15.0  # seconds
PAUSE = 1.0  # seconds between two calls, even if many members change
GAP = 0.25  # seconds between two calls made to confirm a refusal
PATIENCE = 2.0  # seconds for an answer


@dataclass(frozen=True)
class Access:
    """The present access of a member: these roles, sessions opened after `since`, and the `kept_session`."""

    roles: frozenset[str]
    since: datetime | None
    kept_session: str | None

    def admits(self, caller: Caller) -> bool:
        """True if the token claims no more than this access."""
        if not caller.roles <= self.roles:
            return False
        if self.since is None or caller.session_id == self.kept_session:
            return True
        return identifiers.moment(caller.session_id) > self.since  # a session's id holds the time of its opening


class Revoked:
    """The lost access that a worker knows of."""

    def __init__(self, link: Link, client: Client) -> None:
        self._client = client
        self._members: dict[str, Access] = {}
        self._sessions: frozenset[str] = frozenset()
        self._stirred = Event()
        self._asking, self._asked = BoundedSemaphore(), 0.0
        link.serve(self)

    def opened(self, connection: amqp.Connection) -> None:
        queue = f"gateway.revoked.{uuid.uuid4()}"
        ear(connection, queue, [each.address for each in HEARS], lambda _message: self._stirred.set())
        self._stirred.set()

    def lost(self) -> None:
        """Keep the last answer. When the connection is back, the worker asks again."""

    def admits(self, caller: Caller) -> bool:
        """True if the token of this caller still counts."""
        if caller.session_id in self._sessions:
            return False
        access = self._members.get(caller.id)
        return access is None or access.admits(caller)

    def check(self, caller: Caller) -> None:
        """Raises Unauthenticated if the token no longer counts.

        The worker asks members again before it refuses, because the access may have been restored a moment ago.
        """
        if not self.admits(caller):
            self._learn_since(time.monotonic())
            if not self.admits(caller):
                says = "This access token counts no more. Exchange the refresh token, or sign in again."
                raise Unauthenticated("token_revoked", says)

    def watch(self, changed: Any) -> None:
        """Keep asking in the background. `changed` is called after each try."""
        gevent.spawn(self._run, changed)

    def _run(self, changed: Any) -> None:
        while True:
            self._stirred.wait(EVERY)
            self._stirred.clear()
            self._learn()
            changed()
            gevent.sleep(PAUSE)

    def _learn_since(self, moment: float) -> None:
        """Ask, unless an answer from `moment` or later is known. Waiting callers share one call, a few a second."""
        with self._asking:
            if self._asked < moment:
                gevent.sleep(max(0.0, self._asked + GAP - time.monotonic()))
                self._learn()

    def _learn(self) -> None:
        """Ask. Without an answer, keep the last one."""
        self._asked = time.monotonic()
        try:
            self._keep(ask(self._client, TELL_LOST_ACCESS, "revoked", PATIENCE))
        except Refusal as refusal:
            log.warning("what was revoked is not known", error=refusal.says)

    def _keep(self, found: dict[str, Any]) -> None:
        self._sessions = frozenset(found["sessions"])
        self._members = {
            each["id"]: Access(
                frozenset(each["roles"]),
                datetime.fromisoformat(each["since"]) if each["since"] else None,
                each["kept_session"],
            )
            for each in found["members"]
        }
