"""Limits the open connections and requests of a member, or of an address before a token is seen.

A connection is counted for its address until a valid token has shown its member. Behind a proxy all connections are the
proxy's, so only requests are counted.
"""

from collections.abc import Callable, Iterable
from typing import Any, Literal

from flask import Flask, Response, request
from werkzeug.wsgi import ClosingIterator

from gateway.door.limits import REFUSED
from services.contracts.errors import TooMany

LEAVE = "hearth.leave"
Kind = Literal["member", "anonymous", "sheet"]
SHEETS = 2  # per member; each holds a page of rows while it is written
Leave = Callable[[], None]
Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Places:
    """Counts places taken by each name, up to `most`. A name without places takes no memory."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: dict[str, int] = {}

    def take(self, who: str) -> bool:
        """Take a place. False if none is free."""
        taken = self._taken.get(who, 0)
        if taken >= self._most:
            return False
        self._taken[who] = taken + 1
        return True

    def give_back(self, who: str) -> None:
        """Give a place back."""
        self._taken[who] -= 1
        if not self._taken[who]:
            del self._taken[who]


class Visit:
    """One open connection, with the member or address that it counts for at present."""

    def __init__(self, addresses: Places, members: Places, address: str) -> None:
        self._places, self._who = addresses, address
        self._members = members

    def belongs_to(self, member_id: str) -> None:
        """Count it for the member from now on. If the member has no place left, its count stays where it is."""
        if self._who != member_id and self._members.take(member_id):
            self._places.give_back(self._who)
            self._places, self._who = self._members, member_id

    def end(self) -> None:
        """Give its place back, because it is closed."""
        self._places.give_back(self._who)


class Entrance:
    """The connections of a worker."""

    def __init__(self, per_address: int, per_member: int) -> None:
        self._addresses, self._members = Places(per_address), Places(per_member)

    def admit(self, address: str) -> Visit | None:
        """A new connection from an address, or None if too many of the address have no member yet."""
        if self._addresses.take(address):
            return Visit(self._addresses, self._members, address)
        REFUSED.labels("connection").inc()
        return None


class AtOnce:
    """The requests that a worker is answering."""

    def __init__(self, *, member: int, anonymous: int) -> None:
        most: dict[Kind, int] = {"member": member, "anonymous": anonymous, "sheet": SHEETS}
        self._places = {kind: Places(each) for kind, each in most.items()}

    def begin(self, kind: Kind, who: str) -> None:
        """Count the present request until it is answered or `leave` is called. Raises TooMany."""
        places = self._places[kind]
        if not places.take(who):
            REFUSED.labels("at_once").inc()
            raise TooMany("too_many_at_once", "Too much is asked at the same time. Please wait a moment.", after=1)
        request.environ[LEAVE].append(lambda: places.give_back(who))


def leave() -> None:
    """Stop counting the present request."""
    _leave(request.environ[LEAVE])


def _leave(waiting: list[Leave]) -> None:
    while waiting:
        waiting.pop()()


def _counted(wsgi_app: Wsgi) -> Wsgi:
    """The application. Requests stop counting at the latest when their answer is written or has failed."""

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ[LEAVE] = waiting = list[Leave]()
        try:
            body = wsgi_app(environ, start_response)
        except BaseException:
            _leave(waiting)
            raise
        return ClosingIterator(body, lambda: _leave(waiting)) if waiting else body

    return answer


def _leave_if_whole(answer: Response) -> Response:
    """After each request: stop counting it if its answer is complete and only has to be written."""
    if not answer.is_streamed:
        leave()
    return answer


def is_members(member_id: str) -> None:
    """Count the connection of the present request for a member, if the server counts connections."""
    visit: Visit | None = getattr(request.environ.get("gunicorn.socket"), "visit", None)
    if visit is not None:
        visit.belongs_to(member_id)


def install(app: Flask) -> None:
    """Follow each request of the application to its end."""
    app.wsgi_app = _counted(app.wsgi_app)  # type: ignore[assignment,method-assign]
    app.after_request(_leave_if_whole)
