"""The catalogue keeps its word: exact on the way out, tolerant on the way in, described as it is."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import jsonschema
import orjson
import pytest
from marshmallow import Schema, fields

from services.chassis import context
from services.chassis.messaging import Unreadable, unpack
from services.chassis.outbox import pack
from services.contracts import asyncapi, zones
from services.contracts.catalogue import CATALOGUE, EXCHANGE, PRIVATE, Message, UndeclaredMessage, announce, exchange_of
from services.contracts.messages.feedback import FEEDBACK_MOVED, FEEDBACK_SUBMITTED
from services.ground import identifiers

OF_THE_HUB = {"members.house_changed": {"address", "languages", "zone"}}  # where it is, not where somebody is
REACH = {"email", "address", "language", "languages", "locale", "zone", "zoneinfo"}
NOW = datetime(2026, 11, 2, 9, 0, 0, 123000, tzinfo=UTC)
EVERY = pytest.mark.parametrize("message", CATALOGUE.values(), ids=list(CATALOGUE))


def aggregate(message: Message) -> dict[str, Any]:
    return message.read(message.example) | {"_id": identifiers.new_id(NOW), "changed_at": NOW}


@EVERY
def test_every_message_is_a_fact_of_its_publisher_with_a_sentence(message: Message) -> None:
    assert message.says.endswith(".")
    assert message.type == f"{message.by}.{message.type.split('.')[1]}"
    assert message.type.endswith(("ed", ".taken_down")), "past tense"


@EVERY
def test_every_message_survives_the_wire(message: Message) -> None:
    packed = pack(message.about(aggregate(message)), message.by, sequence=3)
    envelope, found, body = unpack(orjson.dumps(packed))
    assert found is message
    assert body == message.read(message.example)
    assert (envelope.sequence, envelope.at, envelope.id) == (3, NOW, packed["id"])
    assert envelope.correlation_id == packed["correlationid"]


@EVERY
def test_every_message_is_a_cloudevent_and_as_described(message: Message) -> None:
    packed = pack(message.about(aggregate(message)), message.by, sequence=1)
    described = asyncapi.document({}, message.exchange)["components"]
    schema = described["messages"][message.key]["payload"]
    jsonschema.Draft7Validator.check_schema(schema)
    resolved = schema | {"components": described}
    jsonschema.Draft7Validator(resolved, format_checker=jsonschema.FormatChecker()).validate(packed)
    jsonschema.Draft7Validator(resolved).validate(described["messages"][message.key]["examples"][0]["payload"])


def _models(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The schemas of which generated code makes models, at any depth."""
    if schema.get("properties") or "enum" in schema:
        yield schema
    for each in (*schema.get("properties", {}).values(), *filter(None, [schema.get("items")])):
        yield from _models(each)


def test_each_model_has_a_name_of_its_own() -> None:
    described = asyncapi.document({})["components"]
    payloads = [each["payload"] for each in described["messages"].values()]
    named: dict[str, Any] = {}
    for model in (model for each in (*payloads, *described["schemas"].values()) for model in _models(each)):
        said = {name: value for name, value in model.items() if name != "description"}
        assert named.setdefault(model["title"], said) == said
    assert {"EventsPublishedMessage", "EventsPublished", "Audience", "AudienceRoles", "MemberStateStatus"} <= set(named)


def test_partners_learn_how_they_listen() -> None:
    described = asyncapi.document({})
    queue = described["channels"]["partner"]
    assert queue["address"] == "ext.{name}"
    assert queue["bindings"]["amqp"]["is"] == "queue"
    assert set(queue["messages"]) == {key for key, each in CATALOGUE.items() if each.exchange == EXCHANGE}
    assert "Bind a queue" not in described["info"]["description"]


@EVERY
def test_a_missing_field_is_not_announced(message: Message) -> None:
    for name in message.fields:
        lacking = {key: value for key, value in aggregate(message).items() if key != name}
        with pytest.raises(UndeclaredMessage, match=name):
            message.about(lacking)


def test_an_unknown_or_wrong_fact_is_not_announced() -> None:
    with pytest.raises(UndeclaredMessage, match="mood"):
        FEEDBACK_SUBMITTED.about(aggregate(FEEDBACK_SUBMITTED), mood="good")
    with pytest.raises(UndeclaredMessage, match="voice_id"):
        FEEDBACK_SUBMITTED.about(aggregate(FEEDBACK_SUBMITTED), voice_id="five")
    with pytest.raises(UndeclaredMessage, match="status"):
        FEEDBACK_MOVED.about(aggregate(FEEDBACK_MOVED), status="forgotten")


def test_only_its_publisher_announces_a_message() -> None:
    with pytest.raises(UndeclaredMessage, match="belongs to feedback"):
        pack(FEEDBACK_SUBMITTED.about(aggregate(FEEDBACK_SUBMITTED)), "events", sequence=1)


def test_declaring_is_checked() -> None:
    class Body(Schema):
        name = fields.String(required=True)

    with pytest.raises(UndeclaredMessage, match="twice"):
        announce("feedback.submitted", by="feedback", says="Twice.", body=Body, example={"name": "a"})
    with pytest.raises(UndeclaredMessage, match="publisher"):
        announce("feedback.invented", by="events", says="Wrong.", body=Body, example={"name": "a"})


def test_what_is_private_travels_apart_and_is_not_described_to_others() -> None:
    private = {message.key for message in CATALOGUE.values() if message.exchange == PRIVATE}
    assert private == {f"{each}.noted" for each in ("gateway", "members", "events", "feedback")} | {
        "members.reach_changed",
        "events.name_learned",
    }
    assert [exchange_of(key) for key in ("gateway.noted", "feedback.submitted")] == [PRIVATE, EXCHANGE]
    assert exchange_of("feedback.of_another_version") == EXCHANGE
    described = asyncapi.document({"gateway.noted": ["members.audit.keep"]})
    assert set(described["channels"]) == set(CATALOGUE) - private | {"partner"}
    assert not any(word in str(part) for part in (described, asyncapi.committed()) for word in private)


def _said(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Each value in an example, with the name under which it stands, at any depth."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _said(each, name)
    elif isinstance(value, list):
        for each in value:
            yield from _said(each, at)
    else:
        yield at, value


def _fields(shape: Schema) -> Iterator[tuple[str, fields.Field[Any]]]:
    """Each field of a shape by its name, at any depth."""
    for name, field in shape.fields.items():
        yield name, field
        inner = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, fields.Nested):
            yield from _fields(inner.schema)


def betrays(message: Message) -> set[str]:
    """The fields in which a message says how somebody is reached."""
    named = {name for name, field in _fields(message.body) if name in REACH or isinstance(field, fields.Email)}
    return named | {
        name
        for name, value in _said(message.example)
        if isinstance(value, str) and ("@" in value or value in zones.known())
    }


@EVERY
def test_partners_are_not_told_how_somebody_is_reached(message: Message) -> None:
    if message.exchange == EXCHANGE:
        assert betrays(message) == OF_THE_HUB.get(message.key, set())


def test_what_would_tell_partners_is_seen_at_any_depth() -> None:
    assert betrays(CATALOGUE["members.reach_changed"]) == {"email", "language", "zone"}

    class Inner(Schema):
        zone = fields.String()

    class Body(Schema):
        who = fields.List(fields.Nested(Inner))
        contact = fields.Email()

    said = {"words": ["me@hub.example"], "where": {"at": "Europe/Malta"}}
    assert betrays(Message("members.told", 1, "members", "…", Body(), said)) == {"zone", "contact", "words", "at"}


def test_the_cause_and_the_request_travel_on() -> None:
    context.begin("request-1", message_id="message-1")
    packed = pack(FEEDBACK_SUBMITTED.about(aggregate(FEEDBACK_SUBMITTED)), "feedback", sequence=1)
    assert (packed["correlationid"], packed["causationid"]) == ("request-1", "message-1")
    context.unlink()
    packed = pack(FEEDBACK_SUBMITTED.about(aggregate(FEEDBACK_SUBMITTED)), "feedback", sequence=1)
    assert packed["correlationid"] != "request-1"
    assert "causationid" not in packed


def test_a_second_version_has_a_key_of_its_own() -> None:
    second = Message("feedback.submitted", 2, "feedback", "…", FEEDBACK_SUBMITTED.body, FEEDBACK_SUBMITTED.example)
    assert second.key == "feedback.submitted.v2"


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"type": 5}', b'{"type": "feedback.submitted", "data": {}}'])
def test_what_is_no_message_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        unpack(body)
