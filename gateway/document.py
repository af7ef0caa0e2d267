"""The OpenAPI document: everything that follows from the declaration of a route, and examples.

A route declares its arguments and answer itself. Its roles, key, conditions and refusals are added here.
"""

import re
from collections.abc import Collection
from typing import Any

import flask_smorest
from flask import Flask
from marshmallow import fields, validate
from werkzeug.routing import BaseConverter

from gateway import refusals
from gateway.answers import JSON, SAFE
from gateway.door import idempotency
from gateway.examples import give_examples
from gateway.sheets import CSV
from services.contracts.roles import ROLES
from services.contracts.shapes.parts import Id, Text

END = r"\Z"
_names_shape = re.compile(r"#/components/schemas/(\w+)").findall
DESCRIPTION = """The platform of a hub: its members, events, feedback and notifications.

**Lists** answer `{"items": […], "next": cursor or null}`; the `Link` header has the address of the next page. Lists
that people like to have in a spreadsheet answer `Accept: text/csv` with all their rows. The heads of the columns are
English words, and may change: programs read JSON. Moments are in the time zone that the member has chosen, else in the
hub's. What may be a day is in UTC. The head says which.

**People** are named beside their ids (`host_id`, `host_name`): with the name that they have now, or null in the moment
before it is known.

**Refusals** are problem documents (RFC 9457) with a stable `code`. Each operation lists the codes that it sends, and an
example of each; `default` lists those that any may send. `503` and `429` ask to try again after the seconds
in `Retry-After`; with an `Idempotency-Key` that is safe for a member's `POST`, too.

**Sentences**, those of notifications, are in the language and the time zone that the member has chosen. Who has chosen
no language reads the first of `Accept-Language` that the platform speaks, else the hub's first. Who has chosen no zone
reads times in the hub's.

**Changes** can't overwrite each other: send the `ETag` of what you have seen as `If-Match`, and `412` says that
somebody was faster. `If-None-Match` saves you an answer that you have already (`304`).

`X-Request-ID` may be sent with any request and comes back with its answer.
"""
IF_MATCH = {
    "name": "If-Match",
    "description": "The `ETag` of the version that you have seen. The change is made only if it is still current.",
    "schema": {"type": "string"},
    "example": '"3-9f86d081884c7d65"',
}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "description": "The `ETag` of an answer that you have. If it is still valid, the answer is `304` without a body.",
    "schema": {"type": "string"},
    "example": '"3-9f86d081884c7d65"',
}
ACCEPT_LANGUAGE = {
    "name": "Accept-Language",
    "description": "The language wanted for sentences, used if the member has chosen none.",
    "schema": {"type": "string"},
    "example": "de, en;q=0.5",
}
SHEET = '"ID",…\r\n"018f2d6e-5b7c-7a3e-9c41-0f2b6d7e8a90",…\r\n'

Doc = dict[str, Any]


def _may(doc: Doc, info: Doc, **_route: Any) -> Doc:
    """Add the users of the route, in words and for programs."""
    says = "everybody, without signing in"
    if "may" in info:
        may = doc["x-may"] = info["may"]
        own = f"{whom(may['own'])} (their own)" if may["own"] else ""
        says = "; ".join(filter(None, [whom(may["any"]), own]))
    doc["description"] = f"{doc.get('description', '')}\n\nFor: {says}.".strip()
    return doc


def whom(roles: Collection[str]) -> str:
    """The roles in words."""
    return "every member" if set(roles) == set(ROLES) else ", ".join(sorted(roles))


def _headers(doc: Doc, info: Doc, *, method: str, **_route: Any) -> Doc:
    """Add the headers of requests and answers, and the spreadsheet if there is one."""
    doc["responses"] = {str(status): answer for status, answer in doc["responses"].items()}
    parameters = doc.setdefault("parameters", [])
    if method.upper() == "POST":
        parameters.append(idempotency.HEADER)
    if info.get("takes_if_match"):
        parameters.append(IF_MATCH["name"])
    found = doc["responses"].get("200", doc["responses"].get("201"))
    if info.get("spoken"):
        parameters.append(ACCEPT_LANGUAGE["name"])
        says = (
            "The language of the sentences: the member's choice, else the first of `Accept-Language`, else the hub's."
        )
        found.setdefault("headers", {})["Content-Language"] = _header(says, "de")
    if not isinstance(found, dict) or JSON not in found.get("content", {}):
        return doc
    headers = found.setdefault("headers", {})
    if method.upper() in SAFE:
        parameters.append(IF_NONE_MATCH["name"])
        doc["responses"]["304"] = {"description": "It has not changed."}
        headers["Link"] = _header("The address of the next page, if there is one.", '</v1/…?cursor=…>; rel="next"')
    if method.upper() in SAFE or info.get("versioned"):
        headers["ETag"] = _header("Names this version of the answer.", IF_MATCH["example"])
    if info.get("sheet"):
        sheet = {"schema": {"type": "string"}, "example": SHEET}
        found["content"][CSV] = sheet
    return doc


def _header(says: str, example: Any) -> Doc:
    return {"description": says, "schema": {"type": "string"}, "example": example}


def _problems(doc: Doc, info: Doc, *, method: str, **_route: Any) -> Doc:
    """Add the refusals, each with its codes."""
    found = doc["responses"] | refusals.responses(info, method, "requestBody" in doc)
    doc["responses"] = dict(sorted(found.items())) | {"default": "Problem"}
    return doc


STEPS = (_may, _headers, _problems)


def named(document: Doc, part: Any) -> set[str]:
    """The shapes that a part of the document names, and those that they name."""
    direct = set(_names_shape(str(part)))
    return direct.union(*(named(document, document["components"]["schemas"][name]) for name in direct))


class IdConverter(BaseConverter):
    """Identifiers in paths. A path with another text there is an unknown address."""

    regex = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def _pattern(_converter: Any, field: fields.Field[Any], **_kwargs: Any) -> Doc:
    """The pattern of a field for JSON Schema, whose patterns match anywhere in a text. Ours match the whole text."""
    if isinstance(field, Id):
        return {"format": "uuid", "pattern": f"^{IdConverter.regex}$"}
    if isinstance(field, Text):
        return {"pattern": "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f]*$"}
    for check in field.validators:
        if isinstance(check, validate.Regexp) and not isinstance(check, validate.Email | validate.URL):
            return {"pattern": f"^(?:{str(check.regex.pattern).removesuffix(END)})$"}
    return {}


class Api(flask_smorest.Api):
    """The OpenAPI document of all routes."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(self, app: Flask) -> None:
        app.url_map.converters["id"] = IdConverter
        app.config.update(
            API_TITLE="Hearth",
            API_VERSION="1.0.0",
            OPENAPI_VERSION="3.1.0",
            API_SPEC_OPTIONS={
                "info": {
                    "description": DESCRIPTION,
                    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
                    "contact": {"name": "Whoever operates this hub"},
                },
                "servers": [{"url": "/"}],
                "security": [{"accessToken": []}],
            },
        )
        super().__init__(app)
        self.register_converter(IdConverter, lambda _converter: {"type": "string", "format": "uuid"})
        self.ma_plugin.converter.add_attribute_function(_pattern)
        self.spec.components.security_scheme(
            "accessToken",
            {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "15 minutes long."},
        )
        for parameter in (idempotency.PARAMETER, IF_MATCH, IF_NONE_MATCH, ACCEPT_LANGUAGE):
            self.spec.components.parameter(parameter["name"], "header", parameter)

    def document(self) -> Doc:
        """The whole document, with an example of each body and answer, made from the examples of the fields."""
        made: Doc = self.spec.to_dict()
        give_examples(made)
        asked = [
            each["requestBody"] for path in made["paths"].values() for each in path.values() if "requestBody" in each
        ]
        strict = named(made, asked)
        for name, shape in made["components"]["schemas"].items():
            if name not in strict:  # an answer may grow; generated code would refuse what is added
                shape.pop("additionalProperties", None)
        return made

    def _register_error_handlers(self) -> None:
        """Register none. Ours are in errors.py."""

    def _register_pagination_header(self) -> None:
        """Register none. The body of a list has the cursor of the next page."""

    def _register_responses(self) -> None:
        for name, answer in refusals.components().items():
            self.spec.components.response(name, answer, lazy=True)
