"""Invitations: how a person comes to belong to the hub."""
