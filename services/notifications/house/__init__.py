"""The house: this service's own copy of the hub's language and zone, for writing to members."""
