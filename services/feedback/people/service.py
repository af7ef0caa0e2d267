"""People hears of new members and of members' changes."""

from services.chassis.messaging import Envelope, on
from services.chassis.store import Store
from services.contracts.messages.members import MEMBERS_CHANGED, MEMBERS_JOINED
from services.feedback.people import domain
from services.feedback.people.store import PeopleStore


class People:
    """Keeps the members' names, so that answers can show them beside ids and no other service must be asked."""

    name = "feedback.people"
    people = Store(PeopleStore)

    @on(MEMBERS_JOINED, queue="learn_of_a_new_member")
    def learn_of_a_new_member(self, message: Envelope, member_id: str, name: str) -> None:
        """Remember the name of a new member."""
        self.people.keep_youngest(domain.person(member_id, name, message.sequence))

    @on(MEMBERS_CHANGED, queue="learn_of_a_change")
    def learn_of_a_change(self, message: Envelope, member_id: str, name: str) -> None:
        """Remember the present name of a member."""
        self.people.keep_youngest(domain.person(member_id, name, message.sequence))
