"""Members: who belongs to the hub, and how they prove it.

It owns the accounts (addresses, passwords, roles, profiles), the invitations to join, and the sessions. It announces
`members.*`, which never hold an address or a secret.
"""
