"""Notifications: who is told what, and why.

It owns the inboxes and its own copies of the members and of the house. The copies are made from `members.*` messages.
It never asks another service.
It hears `events.*` and `feedback.*` as the `tellings` declare, and announces `notifications.delivered.v2`.
"""
