"""Members: who belongs to the hub, how they prove it, and what they did that only some may do.

It owns the accounts (addresses, passwords, roles, profiles), the invitations to join, the sessions, the audit log,
and the house: what the hub says of itself. It announces `members.*`, which never hold a secret. Only the private
`members.reach_changed` holds an address; partners can't hear it.
"""
