"""The calls that invitations answers."""

from datetime import datetime
from typing import Any

from services.chassis import cursors
from services.chassis.names import named
from services.chassis.rpc import answers
from services.chassis.store import Store
from services.contracts.calls import members as calls
from services.contracts.deeds import noted
from services.contracts.errors import Conflict
from services.contracts.messages.members import MEMBERS_NOTED
from services.contracts.shapes import members as shapes
from services.ground import clock, identifiers
from services.ground.tokens import Caller
from services.members import announcements, codes
from services.members.accounts.domain import address, check_administrator, join, roles
from services.members.accounts.store import AccountStore
from services.members.audit.store import AuditStore
from services.members.invitations import domain
from services.members.invitations.domain import Invitation
from services.members.invitations.store import InvitationStore
from services.members.passwords import Passwords
from services.members.signing import Signer

_invitation = shapes.Invitation()
_sent = shapes.SentInvitation()
_profile = shapes.Profile()


class Invitations:
    """Administrators invite people. These join with the code of their invitation."""

    name = "members.invitations"
    invitations = Store(InvitationStore)
    accounts = Store(AccountStore, sibling=True)
    entries = Store(AuditStore, sibling=True)
    passwords = Passwords()
    signer = Signer()

    @answers(calls.INVITE_MEMBER)
    def invite(self, caller: Caller, invitation: dict[str, Any]) -> Any:
        """Invite an address. If it has an open invitation, that one is changed and keeps its code."""
        self._administrators_only(caller)
        email = address(invitation["email"])
        if self.accounts.by_address(email):
            raise Conflict(
                "already_a_member",
                "Somebody with this address belongs to the hub already: look in the list of members.",
            )
        before = self.invitations.open_for(email)
        if before is not None:
            return self._renew(before, caller, "invite_member", invitation["roles"])
        return self._add(invitation, email, caller)

    @answers(calls.RESEND_INVITATION)
    def resend(self, caller: Caller, invitation_id: str) -> Any:
        """Let an open invitation last longer, and show its code again."""
        self._administrators_only(caller)
        return self._renew(self.invitations.get(invitation_id), caller, "resend_invitation")

    @answers(calls.WITHDRAW_INVITATION)
    def withdraw(self, caller: Caller, invitation_id: str) -> None:
        """End an open invitation at once."""
        self._administrators_only(caller)
        before = self.invitations.get(invitation_id)
        after = domain.withdraw(before, by=caller.id, now=clock.now())
        self.invitations.save(after, noting=_deed("withdraw_invitation", before, after, caller))

    @answers(calls.LIST_INVITATIONS)
    def browse(self, caller: Caller, query: dict[str, Any]) -> Any:
        """A page of the invitations, youngest first. The reading is noted."""
        self._administrators_only(caller)
        found, following = self.invitations.youngest(after=cursors.read(query["cursor"], str), limit=query["limit"])
        self.entries.note_reading("list_invitations", caller)
        now = clock.now()
        items = [{**each, "state": domain.state(each, now)} for each in found]
        known = named(self.accounts, items, by_name="by", used_by_name="used_by")
        return cursors.page(_sent, known, following)

    @answers(calls.REGISTER_MEMBER)
    def register(self, registration: dict[str, Any]) -> Any:
        """Join with an invitation. It is used up first. Its code proves the address that it was sent to."""
        now = clock.now()
        invitation = self._usable(registration["code"], now)
        hashed, id = self.passwords.hash(registration["password"]), identifiers.new_id(now)
        account = join(registration, invitation["email"], invitation["roles"], hashed, id=id, now=now)
        self.invitations.save(domain.use(invitation, id, now))
        return _profile.dump(self.accounts.add(account, announcing=announcements.of_joining(account)))

    def _administrators_only(self, caller: Caller) -> None:
        check_administrator(self.accounts.roles(caller.id), "Only administrators invite.")

    def _usable(self, code: str, now: datetime) -> Invitation:
        found = self.invitations.by_code(codes.digest(code))
        joined = found is not None and found["used_by"] and self.accounts.find(found["used_by"]) is not None
        inviters = roles(self.accounts.find(found["by"])) if found is not None else frozenset[str]()
        return domain.usable(found, joined=bool(joined), inviters=inviters, now=now)

    def _add(self, draft: dict[str, Any], email: str, caller: Caller) -> Any:
        now = clock.now()
        id = identifiers.new_id(now)
        code = self._code(id)
        made = domain.invite(draft, email, codes.digest(code), by=caller.id, id=id, now=now)
        saved = self.invitations.add(made, noting=_deed("invite_member", None, made, caller))
        return _invitation.dump({**saved, "code": code})

    def _renew(self, before: Invitation, caller: Caller, operation: str, wanted: list[str] | None = None) -> Any:
        code, now = self._code(before["_id"]), clock.now()
        after = domain.renew(before, codes.digest(code), by=caller.id, now=now, roles=wanted)
        saved = self.invitations.save(after, noting=_deed(operation, before, after, caller))
        return _invitation.dump({**saved, "code": code})

    def _code(self, id: str) -> str:
        """The code of an invitation. It is the same each time, so it can be shown again and is stored nowhere."""
        return codes.code_of(self.signer.mac("invitation", id))


def _deed(operation: str, before: Invitation | None, after: Invitation, by: Caller) -> Any:
    shows = ("roles", "expires_at", "withdrawn_at")
    return noted(MEMBERS_NOTED, operation, before, after, by=by, shows=shows)
