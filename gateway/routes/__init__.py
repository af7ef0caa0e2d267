"""The routes, one file a noun: a table of addresses and calls, and views for what is more than one call."""

from gateway.routes import audit, events, feedback, members, notifications, platform, sessions

NOUNS = (members, sessions, events, feedback, notifications, audit, platform)
