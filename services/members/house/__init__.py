"""The house: what the hub says of itself."""
