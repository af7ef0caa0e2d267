"""What accounts remembers: one document an account, one an invitation."""

from collections.abc import Iterator

from pymongo import IndexModel

from services.chassis.store import HIDDEN, Aggregates
from services.members.accounts.domain import Account, Invitation


class AccountStore(Aggregates):
    """Accounts, unique by address."""

    collection = "accounts"
    indexes = (
        IndexModel([("email", 1)], unique=True),
        IndexModel([("roles", 1), ("_id", 1)]),
        IndexModel([("tags_have", 1), ("_id", 1)]),
        IndexModel([("tags_want", 1), ("_id", 1)]),
    )

    def by_address(self, email: str) -> Account | None:
        """The account of an address, as `domain.address` writes it."""
        return self.first({"email": email})

    def roles(self, id: str) -> frozenset[str]:
        """The roles of a member as they are, not as a token says: one that was taken away must serve no more."""
        return frozenset(self.get(id)["roles"])

    def everybody(self) -> Iterator[Account]:
        """All accounts, in the order of joining."""
        return iter(self.rows.find({}, HIDDEN).sort("_id", 1))

    def directory(
        self, *, role: str | None, tag: str | None, after: str | None, limit: int
    ) -> tuple[list[Account], str | None]:
        """A page of members in the order of joining, with a role, and offering or wanting a tag."""
        query = {"roles": role} if role is not None else {}
        if tag is None:
            return self.page(query, by="_id", ascending=True, after=after, limit=limit)
        # Two lists made one: for an $or, the embedded store would read all members.
        lists = [
            self.page({**query, name: tag}, by="_id", ascending=True, after=after, limit=limit)
            for name in ("tags_have", "tags_want")
        ]
        found = {each["_id"]: each for page, _ in lists for each in page}
        ids = sorted(found)[:limit]
        more = len(found) > limit or any(following for _, following in lists)
        return [found[id] for id in ids], ids[-1] if more else None


class InvitationStore(Aggregates):
    """Invitations, found by the hash of their code; thrown away by the store when the audit log forgets them, too."""

    collection = "invitations"
    indexes = (
        IndexModel([("code_hash", 1)], unique=True),
        IndexModel([("expires_at", 1)], expireAfterSeconds=365 * 86_400),
    )

    def by_code(self, code_hash: str) -> Invitation | None:
        """The invitation with this code."""
        return self.first({"code_hash": code_hash})
