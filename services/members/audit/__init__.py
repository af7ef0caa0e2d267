"""Audit: the log of denials and privileged actions, for administrators to read."""
