"""A small service of the tests' own, with one handler for each way to succeed or fail.

It hears feedback messages, and does what their text says: `ok`, `later N` (fails until the Nth try), `never`, `no`,
`twice X` (adds a row with the id X, and once more), `slow N` (takes N seconds), `hold N` (lets nobody else do anything
for N seconds, right before it is acknowledged). Each effect is a row in the collection `effects`.
"""

import sys
import time
from typing import Any

import eventlet
from marshmallow import fields

from services.chassis import runner
from services.chassis.messaging import Envelope, on
from services.chassis.rpc import answers
from services.chassis.store import Store
from services.contracts.calling import Call, ask
from services.contracts.catalogue import announce
from services.contracts.errors import Conflict, Invalid, NotYet
from services.contracts.messages.feedback import FEEDBACK_MOVED, FEEDBACK_SUBMITTED
from services.contracts.roles import MEMBERS
from services.contracts.shapes.parts import Shape, Text
from services.ground import clock, identifiers
from services.ground.tokens import Caller
from tests.services.chassis.things import Effects, Things


class Draft(Shape):
    text = Text(most=20, required=True)


class Name(Shape):
    name = fields.String(required=True)


FEEDBACK_WHISPERED = announce(
    "feedback.whispered",
    by="feedback",
    says="Something was said among ourselves.",
    body=Name,
    example={"name": "x"},
    private=True,
)


def public(method: str, **takes: type[Shape]) -> Call:
    return ask(f"feedback.probe.{method}", says="Do as the tests want.", takes=takes, public=True)


class Probe:
    name = "feedback.probe"
    effects = Store(Effects)
    things = Store(Things)

    @on(FEEDBACK_SUBMITTED, queue="hear")
    def hear(self, message: Envelope, text: str, voice_id: str) -> None:
        verb, _, number = text.partition(" ")
        if verb == "no":
            raise Invalid("no", "I will never take this.")
        if verb == "never":
            raise RuntimeError("a bug that does not go away")
        if verb == "twice":
            self.effects.rows.insert_many([{"_id": number, "words": text}] * 2)
        if verb == "later" and self.effects.tries(message.id) < int(number):
            raise NotYet("not_yet", "Something is missing.")
        if verb == "slow":
            time.sleep(float(number))
        self.effects.add("hear", message.id, voice=voice_id, sequence=message.sequence)
        if verb == "hold":
            eventlet.patcher.original("time").sleep(float(number))

    @on(FEEDBACK_SUBMITTED, queue="hear_too")
    def hear_too(self, message: Envelope) -> None:
        self.effects.add("hear_too", message.id)

    @on(FEEDBACK_WHISPERED, queue="overhear")
    def overhear(self, message: Envelope, name: str) -> None:
        self.effects.add("overhear", message.id, name=name)

    @answers(public("echo", draft=Draft))
    def echo(self, draft: dict[str, Any]) -> Any:
        return draft

    @answers(ask("feedback.probe.whoami", says="Tell who I am.", may=MEMBERS))
    def whoami(self, caller: Caller) -> Any:
        return {"id": caller.id, "roles": sorted(caller.roles), "language": caller.language, "network": caller.network}

    @answers(public("sleep", draft=Draft))
    def sleep(self, draft: dict[str, Any]) -> Any:
        time.sleep(float(draft["text"]))
        return draft

    @answers(public("crash"))
    def crash(self) -> Any:
        raise RuntimeError("the secret inside")

    @answers(public("unsendable"))
    def unsendable(self) -> Any:
        return object()

    @answers(public("refuse"))
    def refuse(self) -> Any:
        raise Conflict("full", "There is no room left.")

    @answers(public("make", draft=Name))
    def make(self, draft: dict[str, Any]) -> Any:
        now = clock.now()
        id = identifiers.new_id(now)
        thing = {"_id": id, "voice_id": id, "changed_at": now, "author_id": None, "text": draft["name"], "reason": ""}
        saved = self.things.add(thing, FEEDBACK_MOVED.about(thing, status="done", actor_id=identifiers.new_id(now)))
        return {"id": saved["_id"]}

    @answers(public("whisper", draft=Name))
    def whisper(self, draft: dict[str, Any]) -> Any:
        now = clock.now()
        thing = {"_id": identifiers.new_id(now), "changed_at": now, "name": draft["name"]}
        return {"id": self.things.add(thing, FEEDBACK_WHISPERED.about(thing))["_id"]}


if __name__ == "__main__":
    runner.serve("feedback", [Probe], sys.argv[1:])
