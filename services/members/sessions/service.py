"""What sessions answers."""

from typing import Any

from services.chassis import identifiers
from services.chassis.rpc import rpc
from services.chassis.store import Store
from services.chassis.tokens import Caller
from services.contracts.errors import Conflict, Unauthenticated, Unavailable
from services.contracts.shapes import members as shapes
from services.members.accounts.domain import address, roles
from services.members.accounts.store import AccountStore
from services.members.passwords import Passwords
from services.members.sessions import domain
from services.members.sessions.store import AttemptStore, SessionStore
from services.members.signing import Signer

RACES = 5  # how often a refresh looks again; after one lost race the token is an older one, and nothing is saved


class Sessions:
    """Members sign in, stay signed in, and sign out."""

    name = "members.sessions"
    sessions = Store(SessionStore)
    attempts = Store(AttemptStore)
    accounts = Store(AccountStore, sibling=True)
    passwords = Passwords()
    signer = Signer()

    @rpc(public=True, credentials=shapes.Credentials)
    def open(self, credentials: dict[str, Any], origin: str) -> Any:
        """Sign in, from a place in the network. An unknown address and a wrong password are the same, and as slow."""
        email = address(credentials["email"])
        place = domain.trace("place", email, origin)
        here, wider = self._attempt(email, place, origin)
        account = self.accounts.by_address(email)
        matches = self.passwords.match(account and account["password_hash"], credentials["password"])
        if account is None or not matches:
            raise Unauthenticated("sign_in_refused", "This address and password do not belong together.")
        self.attempts.forget(here)
        self.attempts.uncount(wider)
        return self._begin(account, place)

    @rpc(public=True, request=shapes.RefreshRequest)
    def refresh(self, request: dict[str, Any]) -> Any:
        """Exchange a refresh token for fresh tokens. Who repeats it within the grace gets the same refresh token."""
        id, secret = domain.parts(request["refresh_token"])
        for _ in range(RACES):
            try:
                return self._renew(id, secret)
            except Conflict:
                continue  # somebody was faster: what is true now?
        raise Unavailable("busy", "This session is changed too often just now; try again in a moment.")

    @rpc
    def close(self, caller: Caller) -> None:
        """Sign out here."""
        self.sessions.end(caller.session_id, "signed_out", identifiers.now())

    @rpc
    def close_all(self, caller: Caller) -> None:
        """Sign out everywhere."""
        self.sessions.end_all(caller.id, "signed_out", identifiers.now())

    @rpc(public=True)
    def revoked(self) -> Any:
        """Which access tokens count no more, although they have not expired; gateways ask, on the bus only.

        `{"members": [{"id", "roles", "since", "kept_session"}], "sessions": [ids]}`: of these members, a token may say
        no other roles, and its session must have been opened after `since` (RFC 3339 or null), or be the one kept.
        """
        since = identifiers.now() - domain.ACCESS_LASTS - domain.CLOCKS_DIFFER
        accounts = self.accounts.lost_access(since, domain.REVOKED_AT_MOST)
        sessions = self.sessions.ended_since(since, domain.REVOKED_AT_MOST)
        return {"members": [domain.access(each, roles(each)) for each in accounts], "sessions": sessions}

    def _attempt(self, email: str, place: str, origin: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        now = identifiers.now()
        here = self.attempts.count(place, now, now + domain.HERE.lasts)
        domain.allow(domain.HERE, here, now)
        windows = {domain.trace("account", email): domain.ANYWHERE, domain.trace("origin", origin): domain.ANYBODY}
        wider = [self.attempts.count(trace, now, now + window.lasts) for trace, window in windows.items()]
        if not self.sessions.opened_at(place, now - domain.FAMILIAR):
            for window, counted in zip(windows.values(), wider, strict=True):
                domain.allow(window, counted, now)
        return here, wider

    def _renew(self, id: str, secret: str) -> dict[str, Any]:
        now = identifiers.now()
        session = domain.alive(self.sessions.find(id), now)
        if domain.reused(session, secret, now):
            self.sessions.end(id, "token_reused", now)
            raise domain.refused()
        renewed, youngest = domain.renew(session, secret, domain.new_secret(), now)
        saved = renewed if renewed is session else self.sessions.save(renewed)
        return self._tokens(saved, youngest, self.accounts.get(session["member_id"])["roles"])

    def _begin(self, account: dict[str, Any], place: str) -> dict[str, Any]:
        now, secret = identifiers.now(), domain.new_secret()
        session = domain.open_session(account["_id"], secret, place=place, id=identifiers.new_id(now), now=now)
        return self._tokens(self.sessions.add(session), secret, account["roles"])

    def _tokens(self, session: dict[str, Any], secret: str, roles: list[str]) -> dict[str, Any]:
        now = identifiers.now()
        alias = self.signer.mac("alias", session["member_id"], now.date().isoformat())
        return {
            "access_token": self.signer.sign(domain.claims(session, roles, alias, now)),
            "token_type": "Bearer",
            "expires_in": int(domain.ACCESS_LASTS.total_seconds()),
            "refresh_token": domain.refresh_token(session, secret),
            "member_id": session["member_id"],
        }
