"""Audit: the log of denied requests and privileged actions, for administrators to read."""
