"""People: this service's own copy of the members, made from `members.*` messages. It can be made again from them."""
