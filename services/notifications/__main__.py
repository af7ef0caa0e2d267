"""`python -m services.notifications [people|followers|fanout|inbox …]` serves."""

import sys

from services.chassis import runner
from services.chassis.processes import Process
from services.notifications.fanout.service import Fanout
from services.notifications.followers.service import Followers
from services.notifications.house.service import House
from services.notifications.inbox.service import Inbox
from services.notifications.people.service import People

CAPABILITIES = (People, House, Followers, Fanout, Inbox)
PROCESSES = (Process("notifications", CAPABILITIES, extra="notifications"),)
NUMBERS = {
    "LINES_AN_HOUR": 20,  # about voices, in each administrator's inbox; one more line says that there are more
    "INBOX_DAYS": 365,  # for which a line or a broadcast is kept
}

if __name__ == "__main__":
    runner.serve("notifications", CAPABILITIES, sys.argv[1:], numbers=NUMBERS)
