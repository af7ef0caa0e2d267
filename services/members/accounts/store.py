"""The store of accounts: one document per account."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any, cast

from pymongo import IndexModel

from services.chassis.aggregates import Aggregates
from services.chassis.rows import HIDDEN
from services.contracts.errors import Conflict
from services.members.account import Account
from services.members.accounts.domain import forgotten, relied_on, roles, staying

PRESENT = {"status": {"$nin": ["suspended", "removed"]}}  # an account without a status is active


class AccountStore(Aggregates[Account]):
    """Accounts, unique by address."""

    collection = "accounts"
    taken = (
        "Somebody with this address belongs to the hub already: sign in, or ask an administrator for a new password."
    )
    indexes = (
        IndexModel([("email", 1)], unique=True),
        IndexModel([("roles", 1), ("_id", 1)]),
        IndexModel([("tags_have", 1), ("_id", 1)]),
        IndexModel([("tags_want", 1), ("_id", 1)]),
        IndexModel([("status", 1), ("_id", 1)]),
        IndexModel([("access_changed_at", 1)], sparse=True),
    )

    def by_address(self, email: str) -> Account | None:
        """The account with this address, in the form that `domain.address` gives."""
        return self.first({"email": email})

    def renew_password(self, id: str, old_hash: str, new_hash: str) -> None:
        """Replace a password's hash by a new hash of the same password, unless the password was changed meanwhile.

        The version stays the same, because no fact that others hear or see changes.
        """
        self.rows.update_one({"_id": id, "password_hash": old_hash}, {"$set": {"password_hash": new_hash}})

    def roles(self, id: str) -> frozenset[str]:
        """The stored roles of a member. A token may still claim a role that was taken away."""
        return roles(self.find(id))

    def lost_access(self, since: datetime, limit: int) -> list[Account]:
        """The accounts that lost a role or their sessions since a moment, latest loss first."""
        found = self.rows.find({"access_changed_at": {"$gte": since}}, HIDDEN)
        return cast(list[Account], list(found.sort("access_changed_at", -1).limit(limit)))

    def others_administer(self, id: str, now: datetime) -> bool:
        """True if the hub has another administrator who is not leaving.

        Marks of leaving from dead processes are taken away first. If such a process is alive after all, its own change
        finds another version and fails.
        """
        wanted = {"roles": "administrator", "_id": {"$ne": id}}
        others = cast(list[Account], list(self.rows.find(wanted, HIDDEN)))
        for position, each in enumerate(others):
            if forgotten(each, now):
                with suppress(Conflict):  # a concurrent change won: the account still counts as leaving
                    others[position] = self.save(staying(each))
        return any(relied_on(each) for each in others)

    def everybody(self) -> Iterator[Account]:
        """All accounts, in the order of joining."""
        return cast(Iterator[Account], iter(self.rows.find({}, HIDDEN).sort("_id", 1)))

    def roll(self, *, role: str | None, after: str | None, limit: int) -> tuple[list[Account], str | None]:
        """A page of all accounts (or those with a role), in the order of joining."""
        query = {"roles": role} if role is not None else {}
        return self.page(query, by="_id", ascending=True, after=after, limit=limit)

    def directory(
        self, *, role: str | None, tag: str | None, suspended: bool, after: str | None, limit: int
    ) -> tuple[list[Account], str | None]:
        """A page of members (or suspended ones) in the order of joining, with a role, and offering or wanting a tag."""
        query: dict[str, Any] = {"status": "suspended"} if suspended else dict(PRESENT)
        query |= {"roles": role} if role is not None else {}
        if tag is None:
            return self.page(query, by="_id", ascending=True, after=after, limit=limit)
        # Two lists are merged here, because the embedded store would read all members for an $or.
        lists = [
            self.page({**query, name: tag}, by="_id", ascending=True, after=after, limit=limit)
            for name in ("tags_have", "tags_want")
        ]
        found = {each["_id"]: each for page, _ in lists for each in page}
        ids = sorted(found)[:limit]
        more = len(found) > limit or any(following for _, following in lists)
        return [found[id] for id in ids], ids[-1] if more else None
