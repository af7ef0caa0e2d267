"""The house: this service's own copy of what the hub says of itself, as far as members are written to by it."""
