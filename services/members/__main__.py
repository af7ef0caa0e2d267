"""`python -m services.members [accounts …]` serves; `… add-administrator` and `… reset-password` are for operators."""

import sys

from services.chassis import runner
from services.chassis.processes import Process
from services.members.accounts.service import Accounts
from services.members.audit.service import Audit
from services.members.credentials.service import Credentials
from services.members.house.service import House
from services.members.invitations.service import Invitations
from services.members.sessions.service import Sessions
from services.members.tickets.service import Tickets

CAPABILITIES = (Accounts, Audit, Credentials, House, Invitations, Sessions, Tickets)
PROCESSES = (Process("members", CAPABILITIES, extra="members"),)
ON_THE_MACHINE = ("add-administrator", "reset-password")

if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in ON_THE_MACHINE:
        from services.members.operators import commands

        commands(sys.argv[1:])
    else:
        runner.serve("members", CAPABILITIES, sys.argv[1:], needs=["TOKEN_PRIVATE_KEY_FILE"])
