"""Reads the bodies of requests, strictly."""

import json
from typing import Any, ClassVar

import orjson
from flask import Request
from marshmallow import EXCLUDE, Schema, ValidationError
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from gateway.answers import JSON
from gateway.door.hooks import LARGEST_BODY, arrived
from services.contracts.errors import invalid


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("duplicate key")
    return found


_load = json.JSONDecoder(object_pairs_hook=_unique).decode


class Parser(FlaskParser):
    """Reads bodies strictly (RFC 8259, with I-JSON's unique names). Raises Invalid if the shape refuses the body."""

    # A shape declares its own handling of unknown fields. Unknown headers are ignored, as every client sends some.
    DEFAULT_UNKNOWN_BY_LOCATION: ClassVar[dict[str, str | None]] = {"headers": EXCLUDE}  # type: ignore[misc]

    def load_json(self, req: Request, schema: Schema) -> Any:
        if req.mimetype != JSON:
            raise UnsupportedMediaType
        body = req.get_data()
        arrived()
        if len(body) > LARGEST_BODY:
            raise RequestEntityTooLarge
        try:
            orjson.loads(body)  # refuses texts that the standard library accepts: NaN, lone surrogates, bad UTF-8
            return _load(body.decode())
        except (ValueError, RecursionError):
            raise BadRequest from None

    def handle_error(self, error: ValidationError, req: Request, schema: Schema, **kwargs: Any) -> Any:
        raise invalid(next(iter(error.messages_dict.values()))) from None
