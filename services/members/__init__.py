"""Members: the people of the hub, how they prove who they are, and the record of privileged actions.

It owns the accounts (addresses, passwords, roles, profiles), the invitations to join, the sessions, the audit log,
and the house: the hub's description of itself. It announces `members.*`, which never hold a secret. Only the private
`members.reach_changed` holds an address; partners can't hear it.
"""
