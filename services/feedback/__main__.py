"""`python -m services.feedback [voices|people …]` serves."""

import sys

from services.chassis import runner
from services.chassis.processes import Process
from services.feedback.people.service import People
from services.feedback.voices.service import Voices

CAPABILITIES = (Voices, People)
PROCESSES = (Process("feedback", CAPABILITIES, extra="feedback"),)
NUMBERS = {"VOICES_A_DAY": 20}  # of one member

if __name__ == "__main__":
    runner.serve("feedback", CAPABILITIES, sys.argv[1:], numbers=NUMBERS)
