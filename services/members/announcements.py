"""The announcements about an account. Everybody hears who the member is; only the platform hears how to reach them."""

from services.contracts.catalogue import Announcement
from services.contracts.messages.members import MEMBERS_CHANGED, MEMBERS_JOINED, MEMBERS_REACH_CHANGED
from services.members.account import Account
from services.members.accounts import domain


def of_joining(account: Account) -> list[Announcement]:
    """The announcements when a person joins."""
    joined = MEMBERS_JOINED.about(account, **domain.facts(account, actor_id=account["_id"]))
    return [joined, _reach(account)]


def of_a_change(before: Account, after: Account, actor_id: str) -> list[Announcement]:
    """The announcements of a change. The list is empty if no fact changed that others hear of."""
    told = [_state(after, actor_id)] if domain.told(before, after) else []
    return [*told, _reach(after)] if domain.reached_otherwise(before, after) else told


def of_all(account: Account) -> list[Announcement]:
    """The present state of a member, so that copies can be rebuilt."""
    return [_state(account, account["_id"]), _reach(account)]


def _state(account: Account, actor_id: str) -> Announcement:
    return MEMBERS_CHANGED.about(account, **domain.facts(account, actor_id=actor_id))


def _reach(account: Account) -> Announcement:
    return MEMBERS_REACH_CHANGED.about(account, **domain.reach(account))
