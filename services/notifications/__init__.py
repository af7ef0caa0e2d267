"""Notifications: who is told what, and why.

It owns the inboxes and its own copies of the members and of the house, made of what `members.*` announced; it never
asks another service.
It hears `events.*` and `feedback.*` as the `tellings` declare, and announces `notifications.delivered.v2`.
"""
