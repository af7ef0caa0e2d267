"""Credentials: members change their password, and get back in after it was lost or stolen."""
