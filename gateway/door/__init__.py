"""The door: sign-in, limits of rate and number, and the notes for the audit log."""
