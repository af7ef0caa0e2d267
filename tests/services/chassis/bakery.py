"""A small service of the tests' own. Its loaves are done at their moments, and it counts its days.

A loaf's `needs` say what becomes of it: `ok`, `N tries` (fails until the Nth), `time` (takes half a second).
"""

import sys
import time
from datetime import timedelta

from services.chassis import runner
from services.chassis.rows import Document
from services.chassis.rpc import answers
from services.chassis.schedule import due, every
from services.chassis.store import Store
from services.contracts.calling import ask
from services.contracts.messages.feedback import FEEDBACK_MOVED
from services.ground import clock
from tests.services.chassis.things import Days, Effects, Loaves

HELLO = ask("feedback.bakery.hello", says="Greet.", public=True)


class Bakery:
    name = "feedback.bakery"
    loaves = Store(Loaves)
    effects = Store(Effects)
    days = Store(Days)

    @due("loaves", by="done_due_at")
    def bake(self, loaf: Document) -> None:
        number, _, what = loaf["needs"].partition(" ")
        if what == "tries" and self.effects.tries(loaf["_id"]) < int(number):
            raise RuntimeError("the oven is cold")
        if number == "time":
            time.sleep(0.5)
        done = {**loaf, "changed_at": clock.now(), "done": loaf["done"] + 1, "done_due_at": None}
        told = FEEDBACK_MOVED.about(done, **FEEDBACK_MOVED.example | {"voice_id": loaf["_id"]})
        self.loaves.save(done, announcing=told)

    @every(timedelta(days=1), within=timedelta(minutes=1))
    def count_a_day(self) -> None:
        self.days.rows.insert_one({"at": clock.now()})

    @answers(HELLO)
    def hello(self) -> str:
        return "hello"


if __name__ == "__main__":
    runner.serve("feedback", [Bakery], sys.argv[1:])
