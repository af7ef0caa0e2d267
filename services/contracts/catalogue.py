"""The grammar of the catalogue: `announce(...)` declares one message, once, with its body and an example.

On the wire a message is a CloudEvent 1.0 in structured JSON mode (https://github.com/cloudevents/spec), with the
extensions `sequence` (the zero-padded count of its subject's announcements), `correlationid`, `causationid` and, if
tracing is on, `traceparent`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError

from services.contracts import moments

CONTENT_TYPE = "application/cloudevents+json"
EXCHANGE = "community"
PRIVATE = "private"  # the exchange that other systems can't bind to; they may bind to `community` only
CATALOGUE: dict[str, "Message"] = {}


class UndeclaredMessage(Exception):
    """The catalogue lacks the message or the field that was named. A programming error."""


@dataclass(frozen=True)
class Announcement:
    """A fact about to be announced. It is saved together with its aggregate, or made of another message."""

    message: "Message"
    subject: str
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True)
class Message:
    """One kind of fact that travels on the bus. Made by `announce`, never by hand."""

    type: str
    version: int
    by: str
    says: str
    body: Schema
    example: dict[str, Any]
    fields: frozenset[str] = field(repr=False, default=frozenset())
    exchange: str = EXCHANGE

    @property
    def key(self) -> str:
        """Routing key and CloudEvents type: `feedback.submitted`, or `feedback.submitted.v2` for a breaking change."""
        return self.type if self.version == 1 else f"{self.type}.v{self.version}"

    @property
    def address(self) -> tuple[str, str]:
        """The exchange on which it travels, and its routing key there."""
        return self.exchange, self.key

    def about(self, aggregate: Mapping[str, Any], **facts: Any) -> Announcement:
        """The announcement of this fact about an aggregate (`_id`, `changed_at` and the body's fields by name).

        `facts` are fields that the aggregate lacks or names otherwise. An unknown fact, a missing field or a value of
        the wrong type raises `UndeclaredMessage`: announcers are exact.
        """
        if unknown := set(facts) - self.fields:
            raise UndeclaredMessage(f"{self.key} has no field {sorted(unknown)}")
        source = {name: aggregate[name] for name in self.fields if name in aggregate} | facts
        try:
            data = self.body.dump(source)
            if missing := sorted(self.fields - set(data)):  # also the fields that an older reader could do without
                raise ValidationError({name: ["Missing data for required field."] for name in missing})
            self.body.load(data, unknown=RAISE)
        except (ValidationError, ValueError, AttributeError) as error:
            raise UndeclaredMessage(f"{self.key} cannot be announced: {error}") from error
        return Announcement(self, aggregate["_id"], aggregate["changed_at"], data)

    def read(self, data: Any) -> dict[str, Any]:
        """The body's fields as Python values. Fields that this version does not know are ignored.

        Raises marshmallow's ValidationError when a field is missing or of the wrong type.
        """
        return dict(self.body.load(data, unknown=EXCLUDE))


def announce(
    type: str,
    *,
    version: int = 1,
    by: str,
    says: str,
    body: type[Schema],
    example: dict[str, Any],
    private: bool = False,
) -> Message:
    """Declare a message.

    `type` is a past-tense fact named `<publisher>.<verb>`, `by` the only service that may announce it, `says` one
    sentence about the fact, `example` a valid body. A `private` message never reaches other systems, and their document
    does not name it. Declaring a message twice, or with a wrong example, raises at import.
    """
    schema = body()
    exchange = PRIVATE if private else EXCHANGE
    message = Message(type, version, by, says, schema, example, frozenset(schema.fields), exchange)
    if message.key in CATALOGUE:
        raise UndeclaredMessage(f"{message.key} is declared twice")
    if type.split(".", maxsplit=1)[0] != by:
        raise UndeclaredMessage(f"{type} must start with its publisher, {by}")
    schema.load(example, unknown=RAISE)
    CATALOGUE[message.key] = message
    return message


def exchange_of(key: str) -> str:
    """The exchange of the messages of this key. A key that only another version of us knows is public."""
    return CATALOGUE[key].exchange if key in CATALOGUE else EXCHANGE


def envelope(
    announcement: Announcement,
    *,
    id: str,
    sequence: int,
    correlation_id: str,
    causation_id: str | None,
    traceparent: str | None = None,
) -> dict[str, Any]:
    """The CloudEvent of an announcement, as a JSON-ready dict: the `sequence`-th of its subject, from 1."""
    message = announcement.message
    event = {
        "specversion": "1.0",
        "id": id,
        "source": f"/hearth/{message.by}",
        "type": message.key,
        "subject": announcement.subject,
        "time": moments.to_text(announcement.at),
        "datacontenttype": "application/json",
        "sequence": f"{sequence:012d}",
        "correlationid": correlation_id,
        "data": announcement.data,
    }
    if causation_id:
        event["causationid"] = causation_id
    if traceparent:
        event["traceparent"] = traceparent
    return event
