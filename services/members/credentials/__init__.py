"""Credentials: members change their password; who has lost it, or whose password was stolen, gets back in."""
