"""Live streams: new lines of a member's inbox are pushed to the member's open browsers as server-sent events.

A stream may end at any time (token expired, reader too slow, bus lost, worker stopping). Then the browser comes back by
itself with `Last-Event-ID`, and first gets the lines that it has missed. Each browser gets a different delay, so that
they do not all come back at the same moment after a deploy.
"""

import random
import re
import uuid
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import chain
from typing import Any

import amqp
import orjson
from flask import Response, current_app, g, request
from marshmallow import fields, validate
from prometheus_client import Gauge

from gateway.bus import rpc
from gateway.bus.house import House
from gateway.bus.link import Link, ear
from gateway.bus.reader import BACK, WAITING, WAITING_BYTES, Stream, frame, hint
from gateway.door import languages
from gateway.door.places import leave
from services.contracts import moments, wording
from services.contracts.calls.notifications import CATCH_UP
from services.contracts.catalogue import CATALOGUE
from services.contracts.errors import TooMany, Unavailable
from services.contracts.messages.notifications import NOTIFICATIONS_DELIVERED
from services.contracts.shapes.notifications import MOST_DIGITS, event_id
from services.contracts.shapes.parts import Shape
from services.contracts.shapes.sessions import TICKET
from services.ground import clock
from services.ground.logs import log
from services.ground.tokens import Caller

REMEMBERED = 1000  # messages, to recognise a repeated one
LONGEST_ID = 200  # characters
NOBODY = b"00000000-0000-0000-0000-000000000000"
LAST = "1793610000000-018f2d72-3f00-7d44-9e6a-1b2c3d4e5f60"  # as an example
# All declared versions of the message. A message of the previous release is understood for one release.
HEARS = tuple(each for each in CATALOGUE.values() if each.type == NOTIFICATIONS_DELIVERED.type)

OPEN = Gauge("hearth_gateway_streams", "Live streams that are open.", multiprocess_mode="livesum")

_is_event_id = re.compile(rf"\d{{1,{MOST_DIGITS}}}-[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}").fullmatch


class StreamHeaders(Shape):
    """The event after which to continue, as browsers send it by themselves."""

    last_event_id = fields.String(
        load_default=None,
        data_key="Last-Event-ID",
        metadata={"description": "The `id` of the last event received; others are ignored.", "example": LAST},
    )


class StreamQuery(Shape):
    """The event after which to continue, for clients that can't send headers."""

    last_event_id = fields.String(
        load_default=None,
        metadata={"description": "Used if the header `Last-Event-ID` is missing.", "example": LAST},
    )
    ticket = fields.String(
        load_default=None,
        metadata={"description": "A ticket, in the place of an access token. It works once.", "example": TICKET},
    )


class ServerSentEvent(Shape):
    """One event as it is sent. A browser's EventSource shows the `id` as `lastEventId`."""

    id = fields.String(required=True, metadata={"description": "Send it as `Last-Event-ID`.", "example": LAST})
    event = fields.String(required=True, validate=validate.OneOf(["notification"]))
    data = fields.String(
        required=True,
        metadata={"description": "A `Notification`, in JSON.", "example": '{"id": "018f2d72-3f00-…", "kind": …}'},
    )


def follow(headers: dict[str, Any], query: dict[str, Any]) -> Response:
    """The stream of the present caller. It continues after the event that a returning browser names."""
    streams: Streams = current_app.extensions["streams"]
    return streams.answer(headers["last_event_id"] or query["last_event_id"])


def _said(data: dict[str, Any], language: str, zone: str, home: str) -> bytes:
    """The event of what was delivered, for readers of this language in this zone; `home` is the hub's zone.

    Messages of the previous release already hold their sentence, in English.
    """
    words = data
    if "facts" in data:
        words = wording.said(data["kind"], data["facts"], language=language, zone=zone, home=home)
    shown = {
        "id": data["notification_id"],
        "kind": data["kind"],
        "title": words["title"],
        "body": words["body"],
        "link": data["link"],
        "reason": words["reason"],
        "at": data["at"],
        "read_at": None,
    }
    return frame(event_id(datetime.fromisoformat(data["at"]), data["notification_id"]), shown)


class Streams:
    """The open streams of a worker, and its ear on the bus."""

    def __init__(self, link: Link, house: House, *, most: int, most_per_member: int, heartbeat: float) -> None:
        self._open: defaultdict[str, list[Stream]] = defaultdict(list)
        self._count = 0
        self._most, self._most_per_member, self._heartbeat = most, most_per_member, heartbeat
        self._heard: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._listening, self._house = False, house
        link.serve(self)

    def opened(self, connection: amqp.Connection) -> None:
        ear(connection, f"gateway.streams.{uuid.uuid4()}", [each.address for each in HEARS], self._hear)
        self._listening = True

    def lost(self) -> None:
        self.close()

    def close(self) -> None:
        """Take no new readers, and end all streams. Readers come back (perhaps to another worker) and catch up."""
        self._listening = False
        for streams in list(self._open.values()):
            for stream in list(streams):
                stream.end()

    def end_unless(self, admitted: Callable[[Caller], bool]) -> None:
        """End the streams of callers who are no longer admitted."""
        for stream in list(chain.from_iterable(self._open.values())):
            if not admitted(stream.caller):
                stream.end()

    def _hear(self, message: amqp.Message) -> None:
        try:
            data = orjson.loads(message.body)["data"]
            id = data["notification_id"]
            if len(id) > LONGEST_ID:
                raise ValueError("no id of ours")
            portion = (id, hash(tuple(data["member_ids"])))  # the same in all versions of the message
            if portion not in self._heard:
                self._heard[portion] = None
                self._deliver(data)
        except (ValueError, KeyError, TypeError, AttributeError):
            log.warning("unreadable message ignored", key=NOTIFICATIONS_DELIVERED.key)
        if len(self._heard) > REMEMBERED:
            self._heard.popitem(last=False)

    def _deliver(self, data: dict[str, Any]) -> None:
        if here := list(self._meant(data)):
            id, said, hub = data["notification_id"], dict[tuple[str, str], bytes](), self._house.habits
            for stream in here:
                reads = stream.language or hub.language, stream.zone or hub.zone
                words = said.get(reads)
                if words is None:  # made once for all who read it so
                    words = said[reads] = _said(data, *reads, hub.zone)
                stream.push(id, words)

    def _meant(self, data: dict[str, Any]) -> Iterator[Stream]:
        """The open streams of the members whose inboxes the notification is in."""
        for member_id in data["member_ids"]:
            yield from self._open.get(member_id, ())
        if everyone := data.get("everyone"):
            belonging = datetime.fromisoformat(everyone["belonging"])
            for stream in chain.from_iterable(self._open.values()):
                if stream.joined_at <= belonging and stream.member_id != everyone["but"]:
                    yield stream

    def answer(self, last_event_id: str | None) -> Response:
        """The stream of the present caller. It begins with the events after `last_event_id`, if that is an id of ours.

        Raises TooMany or Unavailable if there are too many streams, or if the missed events can't be fetched.
        """
        answer = Response(content_type="text/event-stream; charset=utf-8", headers={"X-Accel-Buffering": "no"})
        answer.headers.update(languages.said_in(languages.spoken()))
        if request.method == "HEAD":
            return answer
        stream = Stream(g.caller, languages.wished(), request.environ.get("gunicorn.socket"))
        self._add(stream)
        leave()  # streams have their own limit
        try:
            begin = self._begin(stream, last_event_id)
        except BaseException:
            self._remove(stream)
            raise
        stream.watch()
        answer.response = chain([begin], stream.events(self._heartbeat))
        answer.call_on_close(lambda: self._remove(stream))
        return answer

    def _begin(self, stream: Stream, last_event_id: str | None) -> bytes:
        begin = b"heartbeat: %d\n" % (self._heartbeat * 1000) + hint(b"what reaches your inbox is told here")
        if last_event_id and _is_event_id(last_event_id):
            return begin + self._missed(stream, last_event_id)
        # A reader who receives no event can come back with this id.
        return begin + b"id: %d-%s\n\n" % (moments.to_ms(clock.now()), NOBODY)

    def _missed(self, stream: Stream, after: str) -> bytes:
        """The events after that one. New events may be among them, as the stream is open; it does not repeat these."""
        missed = rpc.call(CATCH_UP, after=after)["items"]
        said, size = list[bytes](), 0
        for each in missed:
            one = frame(each.pop("event_id"), each)
            size += len(one)
            if size > WAITING_BYTES:
                break  # the inbox still holds the rest
            said.append(one)
        stream.skip(each["id"] for each in missed[: len(said)][-WAITING:])
        return b"".join(said)

    def _add(self, stream: Stream) -> None:
        if not self._listening:
            raise Unavailable("unavailable", "The platform's bus can't be reached. Please try again in a moment.")
        after = random.randint(*BACK)  # noqa: S311
        if self._count >= self._most:
            raise Unavailable("streams_full", "Too many streams are open. Please try again in a moment.", after=after)
        if len(self._open.get(stream.member_id, ())) >= self._most_per_member:
            says = f"A member may have at most {self._most_per_member} streams open. Close one first."
            raise TooMany("too_many_streams", says, after=after)
        self._open[stream.member_id].append(stream)
        self._count += 1
        OPEN.inc()

    def _remove(self, stream: Stream) -> None:
        stream.unwatch()
        mine = self._open[stream.member_id]
        mine.remove(stream)
        if not mine:
            del self._open[stream.member_id]
        self._count -= 1
        OPEN.dec()
