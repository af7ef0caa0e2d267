"""`python -m services.feedback [voices]` serves."""

import sys

from services.chassis import runner
from services.chassis.processes import Process
from services.feedback.voices.service import Voices

CAPABILITIES = (Voices,)
PROCESSES = (Process("feedback", CAPABILITIES, extra="feedback"),)
NUMBERS = {"VOICES_A_DAY": 20}  # of one member

if __name__ == "__main__":
    runner.serve("feedback", CAPABILITIES, sys.argv[1:], numbers=NUMBERS)
