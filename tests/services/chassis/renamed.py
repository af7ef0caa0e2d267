"""`python -m tests.services.chassis.renamed before|after`: a service whose handler gets a queue of another name."""

import sys

from services.chassis import runner
from services.chassis.messaging import Envelope, on
from services.chassis.store import Store
from services.contracts.messages.feedback import FEEDBACK_SUBMITTED
from tests.services.chassis.things import Effects


class Before:
    name = "feedback.renamed"
    effects = Store(Effects)

    @on(FEEDBACK_SUBMITTED, queue="hear")
    def hear(self, message: Envelope) -> None:
        self.effects.add("hear", message.id)


class After:
    name = "feedback.renamed"
    effects = Store(Effects)

    @on(FEEDBACK_SUBMITTED, queue="take_in", retired=["hear"])
    def take_in(self, message: Envelope) -> None:
        self.effects.add("take_in", message.id)


class Twice:
    name = "feedback.renamed"

    @on(FEEDBACK_SUBMITTED, queue="hear")
    def hear(self) -> None:
        """One effect."""

    @on(FEEDBACK_SUBMITTED, queue="hear")
    def hear_too(self) -> None:
        """Another."""


if __name__ == "__main__":
    runner.serve("feedback", [{"before": Before, "after": After, "twice": Twice}[sys.argv[1]]])
