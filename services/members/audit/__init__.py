"""Audit: who was denied something, and who did what only some may do, for administrators to read."""
