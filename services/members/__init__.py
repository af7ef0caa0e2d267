"""Members: who belongs to the hub, how they prove it, and what they did that only some may do.

It owns the accounts (addresses, passwords, roles, profiles), the invitations to join, the sessions, and the audit
log. It announces `members.*`, which never hold an address or a secret.
"""
