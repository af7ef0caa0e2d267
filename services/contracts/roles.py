"""Roles: what members are to the hub, and the sets of roles that calls and domains speak of."""

ROLES = ("coworker", "hub_user", "mentor", "trainer", "administrator", "host")
ADMINISTRATOR = "administrator"

MEMBERS = frozenset(ROLES)
ADMINISTRATORS = frozenset({ADMINISTRATOR})
STAFF = frozenset({ADMINISTRATOR, "host"})  # who answers for the hub
ORGANISERS = frozenset({ADMINISTRATOR, "trainer", "mentor", "host"})  # who organises events
HOSTS = ORGANISERS - ADMINISTRATORS  # who organises events of their own, and no others
