"""The calls that accounts answers."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

from services.chassis import cursors
from services.chassis.rpc import answers
from services.chassis.store import Store
from services.contracts.calls import members as calls
from services.contracts.deeds import noted
from services.contracts.errors import Conflict
from services.contracts.messages.members import MEMBERS_NOTED
from services.contracts.shapes import members as shapes
from services.ground import clock
from services.ground.tokens import Caller
from services.members import announcements
from services.members.account import Account, status
from services.members.accounts import domain
from services.members.accounts.store import AccountStore
from services.members.audit.store import AuditStore
from services.members.invitations.store import InvitationStore
from services.members.sessions.store import SessionStore

WHOLE_LIST = "Only administrators take the whole list of members as a spreadsheet. Read it page by page instead."

_profile = shapes.Profile()
_card = shapes.MemberCard()
_entry = shapes.RollEntry()


class Accounts:
    """The members of the hub, their roles and their profiles."""

    name = "members.accounts"
    accounts = Store(AccountStore)
    invitations = Store(InvitationStore, sibling=True)
    sessions = Store(SessionStore, sibling=True)
    entries = Store(AuditStore, sibling=True)

    @answers(calls.SHOW_ME)
    def me(self, caller: Caller) -> Any:
        """The caller's own profile."""
        return _profile.dump(domain.whole(self.accounts.get(caller.id)))

    @answers(calls.CHANGE_ME)
    def change_me(self, caller: Caller, change: dict[str, Any]) -> Any:
        """Change the caller's own profile."""
        before = self.accounts.get(caller.id, asked_for=True)
        after = domain.change(before, change, now=clock.now())
        saved = self.accounts.save(after, announcing=announcements.of_a_change(before, after, caller.id))
        return _profile.dump(domain.whole(saved))

    @answers(calls.SET_MEMBER_ROLES)
    def set_roles(self, caller: Caller, member_id: str, change: dict[str, Any]) -> Any:
        """Give a member other roles."""
        self._administrators_only(caller, "Only administrators change roles.")
        return self._decide(member_id, caller, "set_member_roles", domain.assign, roles=change["roles"])

    @answers(calls.SUSPEND_MEMBER)
    def suspend(self, caller: Caller, member_id: str, suspension: dict[str, Any]) -> Any:
        """Shut a member out until they are reinstated."""
        self._administrators_only(caller, "Only administrators suspend members.")
        return self._decide(member_id, caller, "suspend_member", domain.suspend, reason=suspension["reason"])

    @answers(calls.REINSTATE_MEMBER)
    def reinstate(self, caller: Caller, member_id: str) -> Any:
        """Let a suspended member in again."""
        self._administrators_only(caller, "Only administrators reinstate members.")
        return self._decide(member_id, caller, "reinstate_member", domain.reinstate)

    @answers(calls.REMOVE_MEMBER)
    def remove(self, caller: Caller, member_id: str) -> None:
        """Remove a member from the hub for good. Their name stays beside their contributions."""
        self._administrators_only(caller, "Only administrators remove members.")
        self._decide(member_id, caller, "remove_member", domain.remove)

    @answers(calls.SHOW_MEMBER)
    def show(self, caller: Caller, member_id: str) -> Any:
        """A member as other members see them."""
        return _card.dump(_shown(domain.visible(self.accounts.get(member_id), caller.roles)))

    @answers(calls.LIST_MEMBERS)
    def browse(self, caller: Caller, query: dict[str, Any], all_rows: bool) -> Any:
        """A page of the members, in the order of joining. Only administrators list suspended ones, or all at once."""
        if suspended := query["status"] == "suspended":
            self._administrators_only(caller, "Only administrators see who is suspended.")
        if all_rows:
            self._administrators_only(caller, WHOLE_LIST)
            self.entries.note_reading("list_members", caller)
        after = cursors.read(query["cursor"], str)
        found, following = self.accounts.directory(
            role=query["role"], tag=query["tag"], suspended=suspended, after=after, limit=query["limit"]
        )
        return cursors.page(_card, map(_shown, found), following)

    @answers(calls.REPLAY_MEMBERS)
    def replay(self) -> Any:
        """Announce every member's present state, so that copies can be rebuilt. Only operators call it, on the bus."""
        announced = 0
        for account in self.accounts.everybody():
            self.accounts.repeat(account, announcements.of_all(account))
            announced += 1
        return {"announced": announced}

    @answers(calls.CALL_ROLL)
    def roll(self, query: dict[str, Any]) -> Any:
        """A page of all accounts, in the order of joining; called on the bus only, by operators."""
        found, following = self.accounts.roll(
            role=query["role"], after=cursors.read(query["cursor"], str), limit=query["limit"]
        )
        return {"items": _entry.dump(map(_shown, found), many=True), "next": cursors.write(following)}

    def _administrators_only(self, caller: Caller, says: str) -> None:
        domain.check_administrator(self.accounts.roles(caller.id), says)

    def _decide(
        self, member_id: str, caller: Caller, operation: str, decide: Callable[..., Account], **how: Any
    ) -> Any:
        """Save an administrator's decision about an account. The same write announces it and notes it for the audit."""
        before, now = self.accounts.get(member_id, asked_for=True), clock.now()
        after = domain.staying(decide(before, **how, by=caller.id, now=now))
        if domain.stops_administering(before, after):
            after["version"] = self._lets_go(before, now)["version"]
        self._close_doors(before, after, now)
        announcing = announcements.of_a_change(before, after, caller.id)
        deed = noted(MEMBERS_NOTED, operation, before, after, by=caller, shows=("roles", "status"))
        return _card.dump(_shown(self.accounts.save(after, announcing=announcing, noting=deed)))

    def _lets_go(self, account: Account, now: datetime) -> Account:
        """Mark an administrator as leaving. Raises Conflict if no other administrator would remain."""
        marked: Account = self.accounts.save(domain.leaving(account, now))
        if not self.accounts.others_administer(account["_id"], now):
            with suppress(Conflict):  # the next change that needs this administrator takes the mark away
                self.accounts.save(domain.staying(marked))
            raise domain.nobody_left()
        return marked

    def _close_doors(self, before: Account, after: Account, now: datetime) -> None:
        """End invitations and sessions that depend on lost roles. This comes first: no crash may leave them open."""
        if domain.stops_administering(before, after):
            self.invitations.close(before["_id"], now)
        if not domain.roles(after):
            self.sessions.end_all(before["_id"], status(after), now)
        if status(after) == "removed":
            self.invitations.close_for(before["email"], now)


def _shown(account: Account) -> Account:
    return {**account, "status": status(account)}
