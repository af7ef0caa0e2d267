"""People hears of new members and of members' changes."""

from services.chassis.announcer import Announcer
from services.chassis.messaging import Envelope, on
from services.chassis.store import Store
from services.contracts.messages.events import EVENTS_NAME_LEARNED
from services.contracts.messages.members import MEMBERS_CHANGED, MEMBERS_JOINED
from services.events.people import domain
from services.events.people.store import PeopleStore


class People:
    """Keeps the members' names, so that answers can show them beside ids and no other service must be asked."""

    name = "events.people"
    people = Store(PeopleStore)
    announcer = Announcer()

    @on(MEMBERS_JOINED, queue="learn_of_a_new_member")
    def learn_of_a_new_member(self, message: Envelope, member_id: str, name: str) -> None:
        """Remember the name of a new member."""
        self._learn(message, domain.person(member_id, name, message.sequence))

    @on(MEMBERS_CHANGED, queue="learn_of_a_change")
    def learn_of_a_change(self, message: Envelope, member_id: str, name: str) -> None:
        """Remember the present name of a member."""
        self._learn(message, domain.person(member_id, name, message.sequence))

    def _learn(self, message: Envelope, person: domain.Person) -> None:
        """Remember a name. Gateways keep answers with names: they hear of a new one when we answer with it."""
        replaced = self.people.keep_youngest(person)
        if domain.shows_otherwise(replaced, person):
            learned = {"_id": person["_id"], "changed_at": message.at, "member_id": person["_id"]}
            self.announcer.announce(EVENTS_NAME_LEARNED.about(learned))
