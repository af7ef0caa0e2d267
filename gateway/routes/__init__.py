"""The routes, one file a noun: a table of addresses and calls, and views for what is more than one call."""

from gateway.routes import audit, events, feedback, house, members, notifications, offerings, platform, sessions

NOUNS = (house, members, sessions, events, offerings, feedback, notifications, audit, platform)
