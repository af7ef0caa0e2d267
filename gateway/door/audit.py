"""The gateway's notes for the audit log: denials, and privileged deeds whose outcome it can't know.

The service that saves a deed notes it. If a service gives no answer or a fault, it may have saved the deed or not; the
gateway notes this as `unknown`. A note holds the route, the caller and their network. It holds nothing of the body or
the query, no token and no whole address.
Notes go to the bus in the background, so that no answer waits for them.
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
MOST_DENIED = 30  # notes per minute for a member or network; the rest of a flood is only counted
PATIENCE = 1.0  # seconds: for a write, between tries to send, and for all remaining notes at the end
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
    """After each answer: note it, if it has an outcome to note."""
    if outcome := _outcome(answer.status_code):
        notes: Notes = current_app.extensions["notes"]
        notes.add(_note(outcome, answer.status_code))
    return answer


def _outcome(status: int) -> str | None:
    """`denied`, `unknown`, or None for everyday answers, such as those to a missing or expired token."""
    view: Any = current_app.view_functions.get(request.endpoint or "")
    if status in (403, 429) or g.get("hidden"):
        return "denied"
    if status == 401 and (getattr(view, "public", False) or g.get("problem") == FORGED):
        return "denied"
    return "unknown" if status >= 500 and _is_for_some(view, request.method) else None


def asked_from() -> str | None:
    """The caller's network, for the service's note of a privileged call; None for all other calls."""
    view = current_app.view_functions.get(request.endpoint or "")
    return network(request.remote_addr) if _is_for_some(view, request.method) else None


@functools.lru_cache(1024)  # the client chooses the method's text, so the cache is limited
def _is_for_some(view: Any, method: str) -> bool:
    """True if only some members may use the view. A read counts only if other members may not even read their own."""
    may = getattr(view, "_apidoc", {}).get("may")
    if may is None or set(ROLES) <= set(may["any"]):
        return False
    if method in READING:
        return not may["own"]
    return method in WRITING and bool(may["any"] or set(ROLES) - set(may["own"]))


def _note(outcome: str, status: int) -> Note:
    now = clock.now()
    # This refusal reveals that the caller raised an anonymous voice, so its note has no name.
    nameless = g.get("problem") == TOO_MANY_VOICES
    caller = None if nameless else g.get("caller")
    # A note of a member who asks too often omits the route: it may have been the one for anonymous voices.
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
    """The identifier in the path, or None. Any other part of a path is the client's own text."""
    said = next(iter((request.view_args or {}).values()), None)
    return said if isinstance(said, str) and _is_id(said) else None


def network(address: str | None) -> str | None:
    """The network of a client's address: /24, or /48 for IPv6. It identifies no household."""
    if (found := read_address(address or "")) is None:
        return None
    return str(ip_network((found, 24 if found.version == 4 else 48), strict=False))


class Notes:
    """The notes of a worker on their way to the bus, in order. Each is kept until the broker has confirmed it.

    While the bus is away they wait, up to MOST_WAITING.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._waiting: deque[Note] = deque()  # a note holds identifiers and our own words only: less than 2 KB
        self._sent: dict[int, Note] = {}
        self._posted = 0  # on this channel, as the broker counts for its confirms
        self._channel: amqp.Channel | None = None
        self._stirred = Event()
        self._minute = 0.0
        self._denied: Counter[str | None] = Counter()  # by identifier or network, for the present minute only
        link.serve(self)

    @property
    def unsettled(self) -> list[Note]:
        """The notes that the broker has not confirmed yet, oldest first."""
        return [*self._sent.values(), *self._waiting]

    def start(self) -> None:
        """Begin sending."""
        gevent.spawn(self._run)

    def add(self, note: Note) -> None:
        """Send a note soon. If it belongs to a flood or too many notes wait, it is only counted."""
        if note["outcome"] == "denied" and self._floods(note["actor_id"] or note["network"]):
            SPARED.inc()
        elif len(self._waiting) + len(self._sent) >= MOST_WAITING:
            self._lose(note, "too many wait")
        else:
            self._waiting.append(note)
            self._stirred.set()

    def settle(self) -> None:
        """Wait a moment until the broker has taken the waiting notes. The rest is lost with the process."""
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
            with suppress(LinkDown):  # unsent notes are sent when the bus is back
                while self._waiting and self._link.up:
                    self._link.write(self._publish_next, PATIENCE)

    def _publish_next(self) -> None:
        """Send the first note now in line. While this write waited, other notes may have been put back in front."""
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
    # The request's id is left out: with it, the log's lines could be joined with the caller's name.
    event = envelope(
        GATEWAY_NOTED.about(note), id=note["_id"], sequence=1, correlation_id=note["_id"], causation_id=None
    )
    return amqp.Message(orjson.dumps(event), content_type=CONTENT_TYPE, delivery_mode=2)


def install(app: Flask) -> None:
    """Look at every answer of the application."""
    app.after_request(look)
