"""The routes, one file per noun: a table of addresses and calls, and views that do more than one call."""

from gateway.routes import audit, events, feedback, house, members, notifications, offerings, platform, sessions

NOUNS = (house, members, sessions, events, offerings, feedback, notifications, audit, platform)
