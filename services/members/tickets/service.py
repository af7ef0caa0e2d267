"""The calls that tickets answers."""

from typing import Any

from services.chassis.rpc import answers
from services.chassis.store import Store
from services.contracts.calls import sessions as calls
from services.ground import clock
from services.ground.tokens import Caller
from services.members.account import active
from services.members.accounts.store import AccountStore
from services.members.credentials.domain import admits
from services.members.sessions import domain as sessions
from services.members.sessions.store import SessionStore
from services.members.signing import Signer
from services.members.tickets import domain
from services.members.tickets.store import TicketStore


class Tickets:
    """A signed-in member opens a live stream without sending an access token."""

    name = "members.tickets"
    tickets = Store(TicketStore)
    sessions = Store(SessionStore, sibling=True)
    accounts = Store(AccountStore, sibling=True)
    signer = Signer()

    @answers(calls.ISSUE_STREAM_TICKET)
    def issue(self, caller: Caller) -> Any:
        """Make a ticket for the caller's session."""
        secret = sessions.new_secret()
        self.tickets.add(domain.new_ticket(sessions.digest(secret), caller.session_id, clock.now()))
        return {"ticket": secret, "expires_in": int(domain.LASTS.total_seconds())}

    @answers(calls.REDEEM_STREAM_TICKET)
    def redeem(self, ticket: str) -> Any:
        """An access token of the session that a ticket is for. The ticket is used then, whatever comes of it."""
        now = clock.now()
        taken = domain.valid(self.tickets.take(sessions.digest(ticket)), now)
        session = self.sessions.find(taken["session_id"])
        account = self.accounts.find(session["member_id"]) if session and session["ended"] is None else None
        if session is None or not (active(account) and admits(account, session["_id"], session["opened_at"])):
            raise domain.refused()
        alias, seal = self.signer.names(account["_id"], now)
        return {"access_token": self.signer.sign(sessions.claims(session, account, alias, seal, now))}
