"""Roles: the six roles of members in the hub, the sets of roles that calls and domains name, and who acts in them."""

from dataclasses import dataclass

ROLES = ("coworker", "hub_user", "mentor", "trainer", "administrator", "host")
ADMINISTRATOR = "administrator"

MEMBERS = frozenset(ROLES)
ADMINISTRATORS = frozenset({ADMINISTRATOR})
STAFF = frozenset({ADMINISTRATOR, "host"})  # they answer for the hub
ORGANISERS = frozenset({ADMINISTRATOR, "trainer", "mentor", "host"})  # they organise events
HOSTS = ORGANISERS - ADMINISTRATORS  # they organise only their own events


@dataclass(frozen=True)
class Actor:
    """The member who does something, and their roles."""

    id: str
    roles: frozenset[str]

    def has(self, *roles: str) -> bool:
        """True if the actor has at least one of these roles."""
        return not self.roles.isdisjoint(roles)
