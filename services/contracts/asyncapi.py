"""The catalogue as an AsyncAPI 3.0 document: all messages with their publishers, hearers and examples."""

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import yaml
from marshmallow import Schema, fields, validate

import services.contracts.messages  # noqa: F401  (declares the catalogue)
from services.contracts.catalogue import CATALOGUE, CONTENT_TYPE, EXCHANGE, Message
from services.contracts.shapes.parts import Id, Moment

COMMITTED = files("services.contracts") / "asyncapi.yaml"


def document(hearers: Mapping[str, Sequence[str]], exchange: str = EXCHANGE) -> dict[str, Any]:
    """The AsyncAPI document of an exchange. `hearers` are the queues that hear each message, by its key."""
    messages = [CATALOGUE[key] for key in sorted(CATALOGUE) if CATALOGUE[key].exchange == exchange]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Hearth: messages of the community",
            "version": "1.0.0",
            "description": (
                f"Facts that the services announce on the durable topic exchange `{exchange}`, each under its type as "
                "routing key, as CloudEvents 1.0 in structured JSON mode. Each arrives at least once, in no order: "
                "`id` tells duplicates, `sequence` the order per subject. Ignore fields that you do not know. Another "
                "system of the hub reads a queue of its own, which the operator makes and binds: the channel "
                "`partner`. It may neither declare nor bind anything itself."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {"hub": _HUB},
        "channels": {message.key: _channel(message) for message in messages} | {"partner": _partner(messages)},
        "operations": {
            "listen": _LISTEN,
            **{
                f"announce.{message.key}": _operation("send", message, f"{message.by} announces.")
                for message in messages
            },
            **{
                f"hear.{message.key}": _operation("receive", message, f"Heard by {', '.join(hearers[message.key])}.")
                for message in messages
                if hearers.get(message.key)
            },
        },
        "components": {
            "securitySchemes": {"partner": _SIGN_IN},
            "messages": {message.key: _message(message) for message in messages},
            "schemas": {_name(message): json_schema(message.body) for message in messages},
        },
    }


def committed() -> dict[str, Any]:
    """The document as it was generated and committed."""
    found = yaml.safe_load(COMMITTED.read_text(encoding="utf-8"))
    return dict(found)


def _channel(message: Message) -> dict[str, Any]:
    return {
        "address": message.key,
        "description": message.says,
        "messages": {message.key: {"$ref": f"#/components/messages/{message.key}"}},
        "bindings": {
            "amqp": {"is": "routingKey", "exchange": {"name": message.exchange, "type": "topic", "durable": True}},
        },
    }


_HUB = {
    "host": "{broker}",
    "protocol": "amqp",
    "protocolVersion": "0-9-1",
    "description": "RabbitMQ. The operator hands over the whole address, which may also be `amqps`.",
    "variables": {"broker": {"description": "Where the hub's broker is.", "examples": ["hub.example:5672"]}},
    "security": [{"$ref": "#/components/securitySchemes/partner"}],
}
_SIGN_IN = {
    "type": "userPassword",
    "description": "The user `ext.<name>`, which `hub partner add <name>` makes. It may read its queue and no more.",
}
_LISTEN = {
    "action": "send",
    "channel": {"$ref": "#/channels/partner"},
    "summary": "A partner consumes its queue, and acknowledges each message when it is done with it.",
    "bindings": {"amqp": {"ack": True, "bindingVersion": "0.3.0"}},
}


def _partner(messages: Sequence[Message]) -> dict[str, Any]:
    """The queue of another system. Which of these messages come is said when the operator makes it."""
    return {
        "address": "ext.{name}",
        "description": (
            "The queue of a partner, another system of the hub. `hub partner add <name> --messages <pattern>` makes it "
            "and binds it to messages; `QUEUE` is its name. A partner consumes it and never declares it."
        ),
        "parameters": {"name": {"description": "The name of the partner.", "examples": ["noticeboard"]}},
        "messages": {message.key: {"$ref": f"#/components/messages/{message.key}"} for message in messages},
        "bindings": {
            "amqp": {
                "is": "queue",
                "queue": {"name": "ext.{name}", "durable": True, "exclusive": False, "autoDelete": False},
                "bindingVersion": "0.3.0",
            }
        },
    }


def _operation(action: str, message: Message, says: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{message.key}"},
        "summary": says,
        "messages": [{"$ref": f"#/channels/{message.key}/messages/{message.key}"}],
    }


def _message(message: Message) -> dict[str, Any]:
    id = "018f2d73-9b1e-7c55-8f7b-2c3d4e5f6071"
    attributes: dict[str, Any] = {
        "specversion": {"type": "string", "const": "1.0"},
        "id": {"type": "string", "format": "uuid", "description": "The same for each delivery of one message."},
        "source": {"type": "string", "const": f"/hearth/{message.by}", "description": "The service that announces it."},
        "type": {"type": "string", "const": message.key, "description": "The kind of fact; also the routing key."},
        "subject": {"type": "string", "description": "Id of the subject of the message."},
        "time": {"type": "string", "format": "date-time", "description": "The moment of the fact."},
        "datacontenttype": {"type": "string", "const": "application/json"},
        "sequence": {"type": "string", "pattern": "^[0-9]{12}$", "description": "Order of a subject's messages."},
        "correlationid": {"type": "string", "description": "Id of the request that started this work."},
    }
    example = {name: schema["const"] for name, schema in attributes.items() if "const" in schema} | {
        "id": id,
        "subject": next(iter(message.example.values())),
        "time": "2026-11-02T09:00:00.000Z",
        "sequence": "000000000001",
        "correlationid": "018f2d73-9b1a-7d10-a1b2-c3d4e5f60718",
        "data": message.example,
    }
    return {
        "name": message.key,
        "title": message.key,
        "summary": message.says,
        "contentType": CONTENT_TYPE,
        "payload": {
            "title": _named(message.key) + "Message",
            "type": "object",
            "required": [*attributes, "data"],
            "properties": {
                **attributes,
                "causationid": {"type": "string", "description": "Id of the message that led to this one."},
                "traceparent": {"type": "string", "description": "The trace of the message (W3C Trace Context)."},
                "data": {"$ref": f"#/components/schemas/{_name(message)}"},
            },
        },
        "examples": [{"name": "typical", "payload": example}],
    }


def _name(message: Message) -> str:
    return type(message.body).__name__


def json_schema(shape: Schema) -> dict[str, Any]:
    """A shape as JSON Schema (draft 7, which AsyncAPI 3.0 builds on), for the kinds of field that messages use."""
    title = type(shape).__name__  # generated code names its models by the titles
    schema: dict[str, Any] = {
        "title": title,
        "type": "object",
        "properties": {name: _field(each, title + _named(name)) for name, each in shape.fields.items()},
        "required": [name for name, each in shape.fields.items() if each.required],
    }
    if shape.__doc__:
        schema["description"] = shape.__doc__.strip()
    return schema


def _named(words: str) -> str:
    """The words of a key or field as the name of a model."""
    return "".join(each.capitalize() for each in re.split(r"[._]", words))


def _field(field: fields.Field[Any], title: str) -> dict[str, Any]:
    schema = _kind(field, title)
    for check in field.validators:
        if isinstance(check, validate.OneOf):
            schema["title"] = title
            schema["enum"] = list(check.choices)
        if isinstance(check, validate.Length):
            many = isinstance(field, fields.List)
            bounds = {"minItems" if many else "minLength": check.min, "maxItems" if many else "maxLength": check.max}
            schema |= {name: bound for name, bound in bounds.items() if bound is not None}
    if field.allow_none:
        schema["type"] = [schema["type"], "null"]
    if "description" in field.metadata:
        schema["description"] = field.metadata["description"]
    return schema


def _kind(field: fields.Field[Any], title: str) -> dict[str, Any]:
    match field:
        case Id():
            return {"type": "string", "format": "uuid"}
        case Moment():
            return {"type": "string", "format": "date-time"}
        case fields.List():
            return {"type": "array", "items": _field(field.inner, title)}
        case fields.Nested():
            return json_schema(field.schema)
        case fields.Dict():
            return {"type": "object"}
        case fields.Boolean():
            return {"type": "boolean"}
        case fields.Integer():
            return {"type": "integer"}
        case fields.String():
            return {"type": "string"}
    raise TypeError(f"no JSON Schema is known for {type(field).__name__}")
