"""`python -m services.events [calendar]` serves."""

import sys

from services.chassis import runner
from services.chassis.processes import Process
from services.events.calendar.service import Calendar

CAPABILITIES = (Calendar,)
PROCESSES = (Process("events", CAPABILITIES, extra="events"),)

if __name__ == "__main__":
    runner.serve("events", CAPABILITIES, sys.argv[1:])
