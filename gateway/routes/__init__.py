"""The routes, one file a noun. A view is decorators, one line of documentation and one call."""

from gateway.routes import audit, events, feedback, members, notifications, platform, sessions

NOUNS = (members, sessions, events, feedback, notifications, audit, platform)
