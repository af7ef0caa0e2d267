"""Inbox: each member's notifications, with the reason for each, and which of them were read."""
