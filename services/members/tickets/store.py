"""The store of tickets: one row per ticket that was not used yet. The store deletes those that nobody uses."""

from pymongo import IndexModel

from services.chassis.rows import RENEWABLE, Rows
from services.members.tickets.domain import Ticket


class TicketStore(Rows[Ticket]):
    """Unused tickets, by the hash of their secret."""

    collection = "tickets"
    keeps = False  # they last for seconds
    indexes = (IndexModel([("ends_at", 1)], expireAfterSeconds=0),)
    write_concern = RENEWABLE

    def add(self, ticket: Ticket) -> None:
        """Keep a new ticket."""
        self.rows.insert_one({**ticket})

    def take(self, secret_hash: str) -> Ticket | None:
        """Take a ticket out. Of several who ask for the same one, one gets it."""
        return self.rows.find_one_and_delete({"_id": secret_hash})
