"""What accounts answers."""

from typing import Any

from services.chassis import cursors, identifiers
from services.chassis.rpc import rpc
from services.chassis.store import Store
from services.chassis.tokens import Caller
from services.contracts.errors import Conflict
from services.contracts.messages.members import MEMBERS_CHANGED, MEMBERS_JOINED
from services.contracts.shapes import members as shapes
from services.members.accounts import domain
from services.members.accounts.store import AccountStore, InvitationStore
from services.members.passwords import Passwords

_profile = shapes.Profile()
_card = shapes.MemberCard()
_invitation = shapes.Invitation()


class Accounts:
    """Who belongs to the hub, as what, and what they tell about themselves."""

    name = "members.accounts"
    accounts = Store(AccountStore)
    invitations = Store(InvitationStore)
    passwords = Passwords()

    @rpc(invitation=shapes.InvitationDraft)
    def invite(self, caller: Caller, invitation: dict[str, Any]) -> Any:
        """Invite somebody; the code is in this answer only."""
        now, code = identifiers.now(), domain.new_code()
        roles = self.accounts.roles(caller.id)
        made = domain.invite(invitation, code, by=caller.id, roles=roles, id=identifiers.new_id(now), now=now)
        if self.accounts.by_address(made["email"]):
            raise Conflict("already_a_member", "Somebody with this address belongs to the hub already.")
        return _invitation.dump({**self.invitations.add(made), "code": code})

    @rpc(public=True, registration=shapes.Registration)
    def register(self, registration: dict[str, Any]) -> Any:
        """Join with an invitation: its code stands for the address that it was sent to."""
        now = identifiers.now()
        invitation = domain.check_invitation(self.invitations.by_code(domain.digest(registration["code"])), now)
        hashed = self.passwords.hash(registration["password"])
        account = domain.join(registration, invitation, hashed, id=identifiers.new_id(now), now=now)
        joined = MEMBERS_JOINED.about(account, **domain.facts(account, actor_id=account["_id"]))
        saved = self.accounts.add(account, announcing=joined)
        self.invitations.save(domain.use(invitation, account["_id"], now))
        return _profile.dump(saved)

    @rpc
    def me(self, caller: Caller) -> Any:
        """The caller's own profile."""
        return _profile.dump(self.accounts.get(caller.id))

    @rpc(change=shapes.ProfileChange)
    def change_me(self, caller: Caller, change: dict[str, Any]) -> Any:
        """Change the caller's own profile."""
        before = self.accounts.get(caller.id)
        after = domain.change(before, change, now=identifiers.now())
        saved = self._save(before, after, actor_id=caller.id)
        return _profile.dump(saved)

    @rpc(change=shapes.RolesChange)
    def set_roles(self, caller: Caller, member_id: str, change: dict[str, Any]) -> Any:
        """Give a member other roles."""
        before = self.accounts.get(member_id)
        having = self.accounts.roles(caller.id)
        after = domain.assign(before, change["roles"], by=caller.id, having=having, now=identifiers.now())
        saved = self._save(before, after, actor_id=caller.id)
        return _card.dump(saved)

    @rpc
    def show(self, caller: Caller, member_id: str) -> Any:
        """A member as other members see them."""
        return _card.dump(self.accounts.get(member_id))

    @rpc(query=shapes.MemberQuery)
    def browse(self, caller: Caller, query: dict[str, Any]) -> Any:
        """A page of the members, in the order of joining."""
        after = cursors.read(query["cursor"], str)
        found, following = self.accounts.directory(
            role=query["role"], tag=query["tag"], after=after, limit=query["limit"]
        )
        return {
            "items": _card.dump(found, many=True),
            "next": cursors.write(following),
        }

    @rpc(public=True, seconds=60)
    def replay(self) -> Any:
        """Announce again how every member is, so that copies can be rebuilt; called on the bus only, by operators."""
        everybody = [
            self.accounts.repeat(each, MEMBERS_CHANGED.about(each, **domain.facts(each, actor_id=each["_id"])))
            for each in self.accounts.everybody()
        ]
        return {"announced": len(everybody)}

    def _save(self, before: dict[str, Any], after: dict[str, Any], actor_id: str) -> dict[str, Any]:
        changed = MEMBERS_CHANGED.about(after, **domain.facts(after, actor_id=actor_id))
        return dict(self.accounts.save(after, announcing=changed if domain.told(before, after) else None))
