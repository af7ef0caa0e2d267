"""The house: the hub's description of itself."""
