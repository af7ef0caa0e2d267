"""The store of credentials. It is in the accounts, so that one write sets a password and ends the sessions."""

from pymongo import IndexModel

from services.chassis.aggregates import Aggregates
from services.members.account import Account


class PasswordStore(Aggregates[Account]):
    """The accounts, found by the hash of a code to reset their password."""

    collection = "accounts"
    indexes = (IndexModel([("reset.code_hash", 1)], sparse=True),)

    def by_reset(self, code_hash: str) -> Account | None:
        """The account whose password this code may reset."""
        return self.first({"reset.code_hash": code_hash})
