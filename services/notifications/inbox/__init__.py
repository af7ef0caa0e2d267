"""Inbox: what each member was told, with the reason, and what they have read of it."""
