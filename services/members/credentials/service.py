"""The calls that credentials answers."""

from typing import Any

from services.chassis.rpc import answers
from services.chassis.store import Store
from services.contracts.calls import members as calls
from services.contracts.deeds import noted
from services.contracts.messages.members import MEMBERS_NOTED
from services.contracts.shapes import members as shapes
from services.ground import clock
from services.ground.tokens import Caller
from services.members import codes
from services.members.account import Account
from services.members.accounts.domain import check_administrator, roles
from services.members.accounts.store import AccountStore
from services.members.credentials import domain
from services.members.credentials.store import PasswordStore
from services.members.passwords import Passwords
from services.members.sessions.domain import HERE, allow
from services.members.sessions.store import AttemptStore, DeviceStore, SessionStore
from services.members.signing import Signer

_reset = shapes.PasswordReset()


class Credentials:
    """Members change their passwords. Administrators help with lost passwords, and end sessions."""

    name = "members.credentials"
    kept = Store(PasswordStore, sibling=True)
    accounts = Store(AccountStore, sibling=True)
    sessions = Store(SessionStore, sibling=True)
    attempts = Store(AttemptStore, sibling=True)
    devices = Store(DeviceStore, sibling=True)
    passwords = Passwords()
    signer = Signer()

    @answers(calls.CHANGE_PASSWORD)
    def change(self, caller: Caller, change: dict[str, Any]) -> None:
        """Change the password, given the present one. Wrong guesses are counted. All other sessions end."""
        now, before = clock.now(), self.kept.get(caller.id)
        counted = self.attempts.count(self.signer.mac("attempts", "password", caller.id), now, now + HERE.lasts)
        allow(HERE, counted, now)
        domain.check_password(self.passwords.match(before["password_hash"], change["present"]))
        self.attempts.forget(counted)
        hashed = self.passwords.hash(change["password"])
        self.kept.save(domain.change(before, hashed, but_session=caller.session_id, now=now))
        self._end_sessions(caller.id, "password_changed", but=caller.session_id)

    @answers(calls.ISSUE_PASSWORD_RESET)
    def issue(self, caller: Caller, member_id: str) -> Any:
        """Make a code with which a member can set a new password. Only this answer shows it."""
        self._administrators_only(caller, "Only administrators reset passwords.")
        now, code, before = clock.now(), codes.new_code(), self.kept.get(member_id)
        after = domain.issue(before, codes.digest(code), by=caller.id, now=now)
        self.kept.save(after, noting=_deed("issue_password_reset", after, caller))
        return _reset.dump({"code": code, "expires_at": domain.expiry(now)})

    @answers(calls.RESET_PASSWORD)
    def reset(self, reset: dict[str, Any]) -> None:
        """Set a new password with a code. All sessions end, so a thief of the old password is out."""
        now, found = clock.now(), self.kept.by_reset(codes.digest(reset["code"]))
        account = domain.usable(found, issuers=self._issuers(found), now=now)
        hashed = self.passwords.hash(reset["password"])
        self.kept.save(domain.reset(account, hashed, now=now))
        self._end_sessions(account["_id"], "password_reset")

    @answers(calls.END_MEMBER_SESSIONS)
    def end_sessions(self, caller: Caller, member_id: str) -> None:
        """Sign a member out everywhere."""
        self._administrators_only(caller, "Only administrators end the sessions of others.")
        after = domain.end_sessions(self.kept.get(member_id), by=caller.id, now=clock.now())
        self.kept.save(after, noting=_deed("end_member_sessions", after, caller))
        self._end_sessions(member_id, "ended_by_administrator")

    def _administrators_only(self, caller: Caller, says: str) -> None:
        check_administrator(self.accounts.roles(caller.id), says)

    def _issuers(self, account: Account | None) -> frozenset[str]:
        by = ((account.get("reset") if account else None) or {}).get("by")
        return roles(self.accounts.find(by)) if by else frozenset()

    def _end_sessions(self, member_id: str, why: str, but: str | None = None) -> None:
        """End the sessions and forget the devices. The account already says that these sessions no longer count."""
        if but is None:
            self.sessions.end_all(member_id, why, clock.now())
        else:
            self.sessions.end_others(member_id, but, why, clock.now())
        self.devices.forget(member_id)


def _deed(operation: str, account: Account, by: Caller) -> Any:
    return noted(MEMBERS_NOTED, operation, None, account, by=by, shows=("roles",))
