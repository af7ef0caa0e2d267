"""`python -m services.events [calendar|offerings|people …]` serves."""

import sys

from services.chassis import runner
from services.chassis.processes import Process
from services.events.calendar.service import Calendar
from services.events.offerings.service import Offerings
from services.events.people.service import People

CAPABILITIES = (Calendar, Offerings, People)
PROCESSES = (Process("events", CAPABILITIES, extra="events"),)

if __name__ == "__main__":
    runner.serve("events", CAPABILITIES, sys.argv[1:])
