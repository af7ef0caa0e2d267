"""People hears of new members and of members' changes."""

from datetime import datetime

from services.chassis.messaging import Envelope, on
from services.chassis.store import Store
from services.contracts.messages.members import MEMBERS_CHANGED, MEMBERS_JOINED, MEMBERS_REACH_CHANGED
from services.notifications.people import domain
from services.notifications.people.store import PeopleStore, ReachStore


class People:
    """Keeps a copy of the members, so that no other service must be asked whom to tell."""

    name = "notifications.people"
    people = Store(PeopleStore)
    reach = Store(ReachStore)

    @on(MEMBERS_JOINED, queue="learn_of_a_new_member")
    def learn_of_a_new_member(
        self,
        message: Envelope,
        member_id: str,
        name: str,
        roles: list[str],
        tags_have: list[str],
        tags_want: list[str],
        status: str,
        joined_at: datetime,
    ) -> None:
        """Remember a new member."""
        tags = tags_have + tags_want
        self.people.keep(domain.person(member_id, name, roles, tags, joined_at, message.sequence, status))

    @on(MEMBERS_CHANGED, queue="learn_of_a_change")
    def learn_of_a_change(
        self,
        message: Envelope,
        member_id: str,
        name: str,
        roles: list[str],
        tags_have: list[str],
        tags_want: list[str],
        status: str,
        joined_at: datetime,
    ) -> None:
        """Remember the present state of a member."""
        tags = tags_have + tags_want
        self.people.keep(domain.person(member_id, name, roles, tags, joined_at, message.sequence, status))

    @on(MEMBERS_REACH_CHANGED, queue="learn_how_to_reach")
    def learn_how_to_reach(
        self, message: Envelope, member_id: str, email: str | None, language: str, zone: str, status: str
    ) -> None:
        """Remember a member's present address, language and zone."""
        self.reach.keep_youngest(domain.reach(member_id, email, language, zone, message.sequence, status))
