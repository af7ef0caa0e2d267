"""The calls that sessions answers."""

from datetime import datetime
from typing import Any

from services.chassis.rpc import answers
from services.chassis.store import Store
from services.contracts.calls import sessions as calls
from services.contracts.errors import Conflict, Unauthenticated, Unavailable
from services.ground import clock, identifiers
from services.ground.tokens import Caller
from services.members.account import Account, Device, active
from services.members.accounts.domain import address, roles
from services.members.accounts.store import AccountStore
from services.members.credentials.domain import admits
from services.members.passwords import Passwords
from services.members.sessions import domain
from services.members.sessions.store import AttemptStore, DeviceStore, SessionStore
from services.members.signing import Signer

RACES = 5  # tries of a refresh; after one lost race the token is an older one, and nothing is saved


class Sessions:
    """Members sign in, stay signed in, and sign out."""

    name = "members.sessions"
    sessions = Store(SessionStore)
    attempts = Store(AttemptStore)
    devices = Store(DeviceStore)
    accounts = Store(AccountStore, sibling=True)
    passwords = Passwords()
    signer = Signer()

    @answers(calls.SIGN_IN)
    def open(self, credentials: dict[str, Any], origin: str) -> Any:
        """Sign in from a place in the network. An unknown address is refused like a wrong password, and as slowly.

        A device token of another account is ignored.
        """
        return self._open(credentials, origin, patient=False)

    @answers(calls.SIGN_IN_WITH_BROWSER)
    def open_for_browser(self, credentials: dict[str, Any], origin: str, device_token: str) -> Any:
        """Sign in with a browser."""
        return self._open(credentials | {"device_token": device_token or None}, origin, patient=True)

    @answers(calls.REFRESH_BROWSER_SESSION)
    def refresh_for_browser(self, refresh_token: str) -> Any:
        """Exchange the token in a browser's cookie for fresh tokens."""
        return self.refresh({"refresh_token": refresh_token})

    @answers(calls.SIGN_OUT_OF_BROWSER)
    def close_for_browser(self, caller: Caller) -> None:
        """Sign out with this browser."""
        self.close(caller)

    @answers(calls.REFRESH_SESSION)
    def refresh(self, request: dict[str, Any]) -> Any:
        """Exchange a refresh token for fresh tokens. A repeat within the grace gets the same refresh token."""
        id, secret = domain.parts(request["refresh_token"])
        for _ in range(RACES):
            try:
                return self._renew(id, secret)
            except Conflict:
                continue  # another refresh was faster: read the session again
        raise Unavailable("busy", "This session is changed too often just now. Please try again in a moment.")

    @answers(calls.SIGN_OUT)
    def close(self, caller: Caller) -> None:
        """Sign out here."""
        self.sessions.end(caller.session_id, "signed_out", clock.now())

    @answers(calls.SIGN_OUT_EVERYWHERE)
    def close_all(self, caller: Caller) -> None:
        """Sign out everywhere, and forget all devices."""
        self.sessions.end_all(caller.id, "signed_out", clock.now())
        self.devices.forget(caller.id)

    @answers(calls.TELL_LOST_ACCESS)
    def revoked(self) -> Any:
        """The access tokens that are void although they have not expired. Only gateways ask this, on the bus.

        `{"members": [{"id", "roles", "since", "kept_session"}], "sessions": [ids]}`. A token of such a member may claim
        no other roles. Its session must have been opened after `since` (RFC 3339 or null), or be `kept_session`. A
        token of such a session is void.
        """
        since = clock.now() - domain.ACCESS_LASTS - domain.CLOCKS_DIFFER
        accounts = self.accounts.lost_access(since, domain.REVOKED_AT_MOST)
        sessions = self.sessions.ended_since(since, domain.REVOKED_AT_MOST)
        return {"members": [domain.access(each, roles(each)) for each in accounts], "sessions": sessions}

    def _open(self, credentials: dict[str, Any], origin: str, *, patient: bool) -> Any:
        began, email, token = clock.now(), address(credentials["email"]), credentials.get("device_token")
        place = self.signer.mac("place", email, origin)
        found = self.accounts.by_address(email)
        device = self._device(found, token)
        own, wider = self._attempt(email, place, origin, device)
        account = self._proven(found, credentials["password"])
        self.attempts.forget(own)
        self.attempts.uncount(wider)
        domain.admit(account)
        return self._begin(account, place, began, patient) | {"device_token": self._known(account, device, token)}

    def _device(self, account: Account | None, token: str | None) -> Device | None:
        if token is None:
            return None
        return domain.own_device(self.devices.find(domain.digest(token)), account, clock.now())

    def _attempt(
        self, email: str, place: str, origin: str, device: Device | None
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        now, mac = clock.now(), self.signer.mac  # keyed, because without a key somebody could try all addresses
        if device is not None:
            return self._counted(mac("device", device["_id"]), domain.DEVICE, now), []
        here = self._counted(place, domain.HERE, now)
        windows = {mac("account", email): domain.ANYWHERE, mac("origin", origin): domain.ANYBODY}
        wider = [self.attempts.count(trace, now, now + window.lasts) for trace, window in windows.items()]
        if not self.sessions.opened_at(place, now - domain.FAMILIAR):
            for window, counted in zip(windows.values(), wider, strict=True):
                domain.allow(window, counted, now)
        return here, wider

    def _counted(self, trace: str, window: domain.Window, now: datetime) -> dict[str, Any]:
        counted: dict[str, Any] = self.attempts.count(trace, now, now + window.lasts)
        domain.allow(window, counted, now)
        return counted

    def _known(self, account: Account, device: Device | None, token: str | None) -> str:
        """The token that identifies this device from now on."""
        now = clock.now()
        if device is not None and token is not None:
            self.devices.see(device["_id"], domain.day(now))
            return token
        fresh = domain.new_secret()
        self.devices.add(domain.new_device(account["_id"], fresh, now))
        return fresh

    def _proven(self, account: Account | None, password: str) -> Account:
        stored: str | None = account.get("password_hash") if account else None
        if not self.passwords.match(stored, password) or account is None or stored is None:
            raise Unauthenticated("sign_in_refused", "Address and password do not belong together. Type both again.")
        if self.passwords.outdated(stored):
            self.accounts.renew_password(account["_id"], stored, self.passwords.hash(password))
        return account

    def _renew(self, id: str, secret: str) -> dict[str, Any]:
        now = clock.now()
        session = domain.alive(self.sessions.find(id), now)
        account = self.accounts.find(session["member_id"])
        if not (active(account) and admits(account, session["_id"], session["opened_at"])):
            raise self._ended(id, "account_closed", now)
        if domain.reused(session, secret, now):
            raise self._ended(id, "token_reused", now)
        renewed, youngest = domain.renew(session, secret, domain.new_secret(), now)
        saved = renewed if renewed is session else self.sessions.save(renewed)
        return self._tokens(saved, youngest, account)

    def _ended(self, id: str, why: str, now: datetime) -> Unauthenticated:
        self.sessions.end(id, why, now)
        return domain.refused()

    def _begin(self, account: Account, place: str, began: datetime, patient: bool) -> dict[str, Any]:
        """A session dated from the start of the sign-in. If the password was changed meanwhile, it does not count."""
        secret, id = domain.new_secret(), identifiers.new_id(began)
        session = domain.open_session(account["_id"], secret, place=place, id=id, now=began, patient=patient)
        return self._tokens(self.sessions.add(session), secret, account)

    def _tokens(self, session: domain.Session, secret: str, account: Account) -> dict[str, Any]:
        now = clock.now()
        alias, seal = self.signer.names(session["member_id"], now)
        return {
            "access_token": self.signer.sign(domain.claims(session, account, alias, seal, now)),
            "token_type": "Bearer",
            "expires_in": int(domain.ACCESS_LASTS.total_seconds()),
            "refresh_token": domain.refresh_token(session, secret),
            "member_id": session["member_id"],
        }
