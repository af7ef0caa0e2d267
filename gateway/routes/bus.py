"""The page about the bus: its messages, made from the AsyncAPI document. It needs no script."""

import functools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import flask
from flask import Response
from markupsafe import Markup, escape

from gateway.door.auth import public
from services.contracts import asyncapi as contracts

PAGES = Path(__file__).parents[1] / "pages"
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
FORMATS = {"uuid": "identifier (UUID)", "date-time": "moment (RFC 3339, UTC)"}

pages = flask.Blueprint("bus", __name__, template_folder=str(PAGES))

Schema = Mapping[str, Any]


@pages.get("/bus", strict_slashes=False)
@public
def bus() -> Response:
    """A page that lists the messages on the bus. Everything that it loads comes from here."""
    return Response(_page(), headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"})


@pages.get("/bus/<path:name>")
@public
def bus_part(name: str) -> Response:
    """A style or image of the page."""
    return flask.send_from_directory(PAGES / "bus", name, max_age=86400)


@functools.cache
def _page() -> str:
    document = contracts.committed()
    described = document["components"]
    publishers: dict[str, list[dict[str, Any]]] = {}
    for key, message in described["messages"].items():
        envelope = message["payload"]["properties"]
        hear = document["operations"].get(f"hear.{key}", {})
        publishers.setdefault(key.partition(".")[0], []).append(
            {
                "key": key,
                "says": message["summary"],
                "hearers": hear.get("summary", ""),
                "fields": list(_fields(described["schemas"][envelope["data"]["$ref"].rpartition("/")[2]])),
                "example": _highlighted(message["examples"][0]["payload"]),
            }
        )
    channel = next(iter(document["channels"].values()))
    return flask.render_template(
        "bus.html",
        info=document["info"],
        content_type=document["defaultContentType"],
        exchange=channel["bindings"]["amqp"]["exchange"],
        publishers=publishers,
        envelope=_envelope([each["payload"] for each in described["messages"].values()]),
    )


def _envelope(payloads: list[Schema]) -> list[dict[str, str]]:
    """The fields of the envelope. Only properties that are the same in all messages are shown."""
    first, *others = payloads
    shared = {
        name: {
            key: value for key, value in said.items() if all(p["properties"][name].get(key) == value for p in others)
        }
        for name, said in first["properties"].items()
        if name != "data"
    }
    return list(_fields({"properties": shared, "required": first["required"]}))


def _fields(schema: Schema, before: str = "") -> Iterator[dict[str, str]]:
    """The fields of a shape. The fields of a nested shape follow its own line."""
    for name, field in schema["properties"].items():
        missing = "" if before or name in schema["required"] else ", not always there"
        yield {"name": before + name, "kind": _kind(field) + missing, "says": field.get("description", "")}
        inner = field.get("items", field)
        if "properties" in inner:
            yield from _fields(inner, f"{before}{name}{'[]' if inner is not field else ''}.")


def _kind(field: Schema) -> str:
    """The kind of a value, in words."""
    kinds: list[str] = field["type"] if isinstance(field["type"], list) else [field["type"]]
    said = [FORMATS.get(field.get("format", ""), kind) for kind in kinds if kind != "null"]
    if "const" in field:
        said = [f"always {field['const']}"]
    if "enum" in field:
        said = [f"one of {', '.join(field['enum'])}"]
    if "items" in field:
        most = f"at most {field['maxItems']}, each: " if "maxItems" in field else ""
        said = [f"list ({most}{_kind(field['items'])})"]
    return " or ".join([*said, *(["null"] if "null" in kinds else [])])


def _highlighted(value: Any) -> Markup:
    """A value as JSON whose names stand out."""
    text = str(escape(json.dumps(value, indent=2, ensure_ascii=False)))
    return Markup(re.sub(r"^( *)(&#34;\w+&#34;)(?=: )", r'\1<span class="key">\2</span>', text, flags=re.MULTILINE))  # noqa: S704
