"""People: this service's own copy of the members' names, made from `members.*` messages, for answers."""
