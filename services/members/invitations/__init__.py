"""Invitations: the way into the hub for a new person."""
