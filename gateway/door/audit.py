"""The gateway's notes for the audit log: who was denied something, and deeds whose outcome it can't know.

What was done is noted by the service that saved it. Where a service did not answer, or with a fault, it may have saved
the deed or not: the gateway notes that as `unknown`. A note says which route, who, and from which network: nothing of
the body or the query, no token, no whole address.
It goes to the bus in the background, so that no answer waits for it.
"""

import functools
import re
import time
from collections import Counter, deque
from contextlib import suppress
from ipaddress import ip_network
from typing import Any

import amqp
import gevent
import orjson
import prometheus_client
from flask import Flask, Response, current_app, g, request
from gevent.event import Event

from gateway.bus.link import Link, LinkDown, declare
from gateway.door.limits import read_address
from services.contracts.catalogue import CONTENT_TYPE, UndeclaredMessage, envelope
from services.contracts.errors import TOO_MANY_VOICES
from services.contracts.messages.gateway import GATEWAY_NOTED
from services.contracts.roles import ROLES
from services.ground import clock, identifiers, logs
from services.ground.logs import log

MOST_WAITING = 1000  # notes, while the bus is away
MOST_DENIED = 30  # a minute, of one member or network: the rest of a flood is only counted
PATIENCE = 1.0  # seconds: for a write, between looks at what could not be sent, and for all of it in the end
READING = ("GET", "HEAD")
WRITING = ("POST", "PUT", "PATCH", "DELETE")
FORGED = "token_invalid"

Note = dict[str, Any]
_is_id = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch

NOTES = prometheus_client.Counter(
    "hearth_gateway_notes_total",
    "Notes for the audit log: taken by the broker (kept), left out in a flood (spared), or lost.",
    ["outcome"],
)
KEPT, SPARED, LOST = (NOTES.labels(outcome) for outcome in ("kept", "spared", "lost"))


def look(answer: Response) -> Response:
    """After each answer: note it, if it is to be."""
    if outcome := _outcome(answer.status_code):
        notes: Notes = current_app.extensions["notes"]
        notes.add(_note(outcome, answer.status_code))
    return answer


def _outcome(status: int) -> str | None:
    """`denied`, `unknown`, or None for what is everyday: also a token that is missing or has expired."""
    view: Any = current_app.view_functions.get(request.endpoint or "")
    if status in (403, 429) or g.get("hidden"):
        return "denied"
    if status == 401 and (getattr(view, "public", False) or g.get("problem") == FORGED):
        return "denied"
    return "unknown" if status >= 500 and _is_for_some(view, request.method) else None


def asked_from() -> str | None:
    """The network of whoever asks for what only some may do, for the service's note; None for all else."""
    view = current_app.view_functions.get(request.endpoint or "")
    return network(request.remote_addr) if _is_for_some(view, request.method) else None


@functools.lru_cache(1024)  # a method is a word of the client's, if a short one
def _is_for_some(view: Any, method: str) -> bool:
    """True if only some members may do this. A read counts if few may do it at all."""
    may = getattr(view, "_apidoc", {}).get("may")
    if may is None or set(ROLES) <= set(may["any"]):
        return False
    if method in READING:
        return not may["own"]
    return method in WRITING and bool(may["any"] or set(ROLES) - set(may["own"]))


def _note(outcome: str, status: int) -> Note:
    now = clock.now()
    # Where the refusal itself would say that somebody spoke without their name, it is noted without any name.
    nameless = g.get("problem") == TOO_MANY_VOICES
    caller = None if nameless else g.get("caller")
    # Who asks too often is named, but not what they asked: it may have been to say something without their name.
    rule = request.url_rule if caller is None or status != 429 else None
    return {
        "_id": identifiers.new_id(now),
        "changed_at": now,
        "operation": current_app.view_functions[rule.endpoint].__name__ if rule else None,
        "method": request.method if rule else None,
        "path": rule.rule if rule else None,
        "subject_id": _subject() if rule else None,
        "actor_id": caller.id if caller else None,
        "outcome": outcome,
        "status": status,
        "code": g.get("problem"),
        "network": None if nameless else network(request.remote_addr),
    }


def _subject() -> str | None:
    """The identifier in the path, if one is: what else a path holds is a word of the client's."""
    said = next(iter((request.view_args or {}).values()), None)
    return said if isinstance(said, str) and _is_id(said) else None


def network(address: str | None) -> str | None:
    """The network of a client's address, which names no household: /24, or /48 for IPv6."""
    if (found := read_address(address or "")) is None:
        return None
    return str(ip_network((found, 24 if found.version == 4 else 48), strict=False))


class Notes:
    """The notes of a worker on their way to the bus, in order, each kept until the broker has confirmed it.

    They wait while the bus is away, up to MOST_WAITING.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._waiting: deque[Note] = deque()  # a note is some identifiers and words of ours: less than 2 KB
        self._sent: dict[int, Note] = {}
        self._posted = 0  # on this channel, as the broker counts for its confirms
        self._channel: amqp.Channel | None = None
        self._stirred = Event()
        self._minute = 0.0
        self._denied: Counter[str | None] = Counter()  # of identifiers and networks, no more than a minute brings
        link.serve(self)

    @property
    def unsettled(self) -> list[Note]:
        """The notes that the broker has not confirmed yet, oldest first."""
        return [*self._sent.values(), *self._waiting]

    def start(self) -> None:
        """Begin sending."""
        gevent.spawn(self._run)

    def add(self, note: Note) -> None:
        """Send a note as soon as may be. It is only counted when it is one of a flood, or too many wait."""
        if note["outcome"] == "denied" and self._floods(note["actor_id"] or note["network"]):
            SPARED.inc()
        elif len(self._waiting) + len(self._sent) >= MOST_WAITING:
            self._lose(note, "too many wait")
        else:
            self._waiting.append(note)
            self._stirred.set()

    def settle(self) -> None:
        """Give the broker the time to take what waits; the rest is lost with the process."""
        with gevent.Timeout(PATIENCE, False):
            while self.unsettled:
                gevent.sleep(0.01)
        for note in self.unsettled:
            self._lose(note, "the gateway stops")

    def opened(self, connection: amqp.Connection) -> None:
        declare(connection, GATEWAY_NOTED.exchange)
        channel = connection.channel()
        channel.confirm_select()
        channel.events["basic_ack"].add(self._taken)
        channel.events["basic_nack"].add(self._refused)
        self._channel, self._posted = channel, 0
        self._stirred.set()

    def lost(self) -> None:
        self._channel = None
        self._take_back(list(self._sent))

    def _floods(self, who: str | None) -> bool:
        minute = time.monotonic() // 60
        if minute != self._minute:
            self._minute, self._denied = minute, Counter()
        self._denied[who] += 1
        return self._denied[who] > MOST_DENIED

    def _run(self) -> None:
        while True:
            self._stirred.wait(PATIENCE)
            self._stirred.clear()
            with suppress(LinkDown):  # what was not sent is sent when the bus is back
                while self._waiting and self._link.up:
                    self._link.write(self._publish_next, PATIENCE)

    def _publish_next(self) -> None:
        """Send what is the first now: while a write was waited for, others may have been taken back before it."""
        channel = self._channel
        if channel is None:
            raise OSError("the connection was lost")
        note = self._waiting.popleft()
        try:
            message = _message(note)
        except UndeclaredMessage as error:
            self._lose(note, logs.kind(error))
            return
        self._posted += 1
        self._sent[self._posted] = note
        channel.basic_publish(message, GATEWAY_NOTED.exchange, GATEWAY_NOTED.key)

    def _taken(self, number: int, multiple: bool) -> None:
        for each in self._numbers(number, multiple):
            del self._sent[each]
            KEPT.inc()

    def _refused(self, number: int, multiple: bool) -> None:
        self._take_back(self._numbers(number, multiple))

    def _numbers(self, number: int, multiple: bool) -> list[int]:
        return [each for each in self._sent if each == number or (multiple and each < number)]

    def _take_back(self, numbers: list[int]) -> None:
        self._waiting.extendleft([self._sent.pop(each) for each in numbers][::-1])

    def _lose(self, note: Note, why: str) -> None:
        LOST.inc()
        log.error("audit note lost", operation=note["operation"], outcome=note["outcome"], why=why)


def _message(note: Note) -> amqp.Message:
    # The request's own id stays out: with it, lines of the log would show who asked what, which they never do.
    event = envelope(
        GATEWAY_NOTED.about(note), id=note["_id"], sequence=1, correlation_id=note["_id"], causation_id=None
    )
    return amqp.Message(orjson.dumps(event), content_type=CONTENT_TYPE, delivery_mode=2)


def install(app: Flask) -> None:
    """Look at every answer of the application."""
    app.after_request(look)
