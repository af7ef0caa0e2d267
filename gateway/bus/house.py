"""What a worker knows of the house: its language and zone, for members who choose none, its name and its colour.

A worker asks members when it connects, when it hears that the house has changed, and in any case every EVERY seconds.
Nobody waits for the answer. Until there is one, the hub speaks English in UTC. While members does not answer, the
worker goes on with what it knows.
"""

import uuid
from typing import NamedTuple

import amqp
import gevent
from gevent.event import Event

from gateway.bus.link import Link, ear
from gateway.bus.rpc import Client, ask
from services.contracts import wording
from services.contracts.calls.house import SHOW_HOUSE
from services.contracts.errors import Refusal
from services.contracts.messages.members import MEMBERS_HOUSE_CHANGED
from services.ground.logs import log

HEARS = (MEMBERS_HOUSE_CHANGED,)
EVERY = 60.0  # seconds, should a message ever fail to come
AGAIN = 5.0  # seconds after which members is asked again, if it did not answer
PAUSE = 1.0  # seconds between two askings, however often the house changes
PATIENCE = 2.0  # seconds for an answer


class Habits(NamedTuple):
    """How the hub speaks to members who choose nothing, its name and its colour."""

    language: str = wording.ENGLISH
    zone: str = "UTC"
    name: str = "Our hub"
    accent: str = "#0b5c4b"


class House:
    """The hub's habits as a worker knows them."""

    def __init__(self, link: Link, client: Client) -> None:
        self._client = client
        self._stirred = Event()
        self.habits = Habits()
        link.serve(self)

    def opened(self, connection: amqp.Connection) -> None:
        queue = f"gateway.house.{uuid.uuid4()}"
        ear(connection, queue, [each.address for each in HEARS], lambda _message: self._stirred.set())
        self._stirred.set()

    def lost(self) -> None:
        """What is known stays; when the connection is back, it is asked for anew."""

    def watch(self) -> None:
        """Keep asking, for good."""
        gevent.spawn(self._run)

    def _run(self) -> None:
        wait: float | None = None  # until the connection is there
        while True:
            self._stirred.wait(wait)
            self._stirred.clear()
            wait = EVERY if self.learn() else AGAIN
            gevent.sleep(PAUSE)

    def learn(self) -> bool:
        """Ask how the hub is. False if there was no answer; then what is known stays."""
        try:
            found = ask(self._client, SHOW_HOUSE, "house", PATIENCE)
        except Refusal as refusal:
            log.warning("the house is not known", error=refusal.says)
            return False
        self.habits = Habits(found["languages"][0], found["zone"], found["name"], found["colours"]["accent"])
        return True
