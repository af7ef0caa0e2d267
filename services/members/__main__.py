"""`python -m services.members [accounts …]` serves; `… add-administrator` makes the first administrator."""

import sys

from services.chassis import runner
from services.members.accounts.service import Accounts
from services.members.audit.service import Audit
from services.members.sessions.service import Sessions

CAPABILITIES = (Accounts, Audit, Sessions)

if __name__ == "__main__":
    if sys.argv[1:2] == ["add-administrator"]:
        from services.members.administrator import add_administrator

        add_administrator(sys.argv[2:])
    else:
        runner.serve("members", CAPABILITIES, sys.argv[1:], needs=["TOKEN_PRIVATE_KEY_FILE"])
