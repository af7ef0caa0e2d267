"""Roles: the six roles of members in the hub, and the sets of roles that calls and domains name."""

ROLES = ("coworker", "hub_user", "mentor", "trainer", "administrator", "host")
ADMINISTRATOR = "administrator"

MEMBERS = frozenset(ROLES)
ADMINISTRATORS = frozenset({ADMINISTRATOR})
STAFF = frozenset({ADMINISTRATOR, "host"})  # they answer for the hub
ORGANISERS = frozenset({ADMINISTRATOR, "trainer", "mentor", "host"})  # they organise events
HOSTS = ORGANISERS - ADMINISTRATORS  # they organise only their own events
