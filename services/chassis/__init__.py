"""Wheels: how anything moves. No word of the hub's domain occurs in here."""
