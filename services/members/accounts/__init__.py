"""Accounts: who belongs to the hub, as what, and what they tell about themselves."""
