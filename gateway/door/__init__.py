"""The door: who comes in, how often, how many at once, and what is noted of it."""
