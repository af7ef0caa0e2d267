"""`python -m services.events [calendar]` serves."""

import sys

from services.chassis import runner
from services.events.calendar.service import Calendar

CAPABILITIES = (Calendar,)

if __name__ == "__main__":
    runner.serve("events", CAPABILITIES, sys.argv[1:])
