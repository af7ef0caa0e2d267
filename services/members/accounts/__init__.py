"""Accounts: the members of the hub, their roles and their profiles."""
