"""How routes are declared: flask-smorest, with strict bodies, answers passed on as they come, and problems.

Whatever is the same for all routes of the OpenAPI document is written here, once.
"""

import json
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ClassVar

import flask_smorest
import orjson
from flask import Flask, Request, Response
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.routing import BaseConverter

from gateway import idempotency
from gateway.errors import MEDIA_TYPE, STATUS, Problem
from gateway.hooks import LARGEST_BODY
from services.contracts.errors import Conflict, Invalid, Refusal, Unauthenticated, invalid
from services.contracts.shapes.parts import ROLES, Id, Text

JSON = "application/json"
END = r"\Z"
DESCRIPTION = """The platform of a hub: its members, what happens there, what they say about it, how they hear back.

Lists answer `{"items": […], "next": cursor or null}`. A refusal is a problem document (RFC 9457) with a stable `code`.
`X-Request-ID` may be sent with any request and comes back with its answer. `503` asks to try again after the seconds in
`Retry-After`; with an `Idempotency-Key` that is safe for a member's `POST`, too.
"""

View = Callable[..., Any]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("duplicate key")
    return found


class Parser(FlaskParser):
    """Reads bodies strictly (RFC 8259, I-JSON's unique names) and refuses what a shape refuses."""

    # A shape itself says what it does with unknown fields, except for headers: everybody adds some.
    DEFAULT_UNKNOWN_BY_LOCATION: ClassVar[dict[str, str | None]] = {"headers": EXCLUDE}  # type: ignore[misc]

    def load_json(self, req: Request, schema: Schema) -> Any:
        if req.mimetype != JSON:
            raise UnsupportedMediaType
        body = req.get_data()
        if len(body) > LARGEST_BODY:
            raise RequestEntityTooLarge
        try:
            orjson.loads(body)  # refuses what the standard library lets pass: NaN, lone surrogates, bad UTF-8
            return json.loads(body, object_pairs_hook=_unique)
        except (ValueError, RecursionError):
            raise BadRequest from None

    def handle_error(self, error: ValidationError, req: Request, schema: Schema, **kwargs: Any) -> Any:
        raise invalid(next(iter(error.messages_dict.values()))) from None


class Blueprint(flask_smorest.Blueprint):
    """The routes of one noun. Its answers come shaped from the owning service; here they are only written."""

    ARGUMENTS_PARSER = Parser()

    def __init__(self, name: str, import_name: str, *, description: str, url_prefix: str = "/v1") -> None:
        super().__init__(name, import_name, description=description, url_prefix=url_prefix)
        self._prepare_doc_cbks += (_prepare_may, _prepare_key, _prepare_problems)

    def route(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Put a view at an address; its name is the operation's, too."""
        register = super().route(rule, **options)

        def decorator(view: View) -> View:
            known = getattr(view, "_apidoc", {})
            if "may" not in known and not getattr(view, "public", False):
                raise TypeError(f"{view.__name__} is neither public nor says who may use it")
            manual = {**known.get("manual_doc", {}), "operationId": view.__name__}
            view._apidoc = {**known, "manual_doc": manual}  # type: ignore[attr-defined]
            register(view)
            return view

        return decorator

    def arguments(self, schema: type[Schema], **kwargs: Any) -> Callable[[View], View]:
        """Check the body (or the `location`) against a shape and pass it as the first argument."""
        # An instance, as making a schema for each request would cost more than using it.
        check: Callable[[View], View] = super().arguments(schema(), **kwargs)
        return check

    def response(
        self,
        status_code: int,
        schema: type[Schema] | None = None,
        *,
        location: str | None = None,
        **kwargs: Any,
    ) -> Callable[[View], View]:
        """Document the answer with its shape and send what the view returns as it is.

        `location` is where to find what was made, with fields of the answer in braces.
        """
        if location:
            kwargs["headers"] = {"Location": {"schema": {"type": "string", "format": "uri-reference"}}}
        document = super().response(status_code, schema, **kwargs)

        def decorator(view: View) -> View:
            @wraps(view)
            def answer(*args: Any, **view_args: Any) -> Response:
                result = view(*args, **view_args)
                if isinstance(result, Response):
                    return result
                if schema is None:
                    return Response(status=status_code)
                headers = {"Location": location.format_map(result)} if location else None
                return Response(orjson.dumps(result), status_code, headers, content_type=JSON)

            answer._apidoc = document(view)._apidoc  # type: ignore[attr-defined]
            return answer

        return decorator

    def alt_response(self, status_code: int, schema: type[Schema], **kwargs: Any) -> Callable[[View], View]:
        """Document another answer that is no problem document."""
        document: Callable[[View], View] = super().alt_response(status_code, schema=schema, **kwargs)
        return document

    def may(self, *roles: str, own: Sequence[str] = ()) -> Callable[[View], View]:
        """Say who may use a route: `roles`, and members with a role in `own` for what is theirs.

        The owning service decides; this is for the OpenAPI document, and for the tests that hold services to it.
        """

        def decorator(view: View) -> View:
            view._apidoc = {**getattr(view, "_apidoc", {}), "may": {"any": sorted(roles), "own": sorted(own)}}  # type: ignore[attr-defined]
            return view

        return decorator

    def refuses(self, *families: type[Refusal]) -> Callable[[View], View]:
        """Document how a route may refuse, beyond what follows from its declaration."""

        def decorator(view: View) -> View:
            view._apidoc = {**getattr(view, "_apidoc", {}), "refuses": families}  # type: ignore[attr-defined]
            return view

        return decorator


def _prepare_may(doc: dict[str, Any], doc_info: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """Document who may use a route, in words and for programs."""
    if "may" in doc_info:
        may = doc["x-may"] = doc_info["may"]
        says = "; ".join(filter(None, [_whom(may["any"]), _whom(may["own"]) and f"{_whom(may['own'])} (their own)"]))
        doc["description"] = f"{doc.get('description', '')}\n\nFor: {says}.".strip()
    return doc


def _whom(roles: Sequence[str]) -> str:
    return "every member" if set(roles) == set(ROLES) else ", ".join(roles)


def _prepare_key(doc: dict[str, Any], _doc_info: dict[str, Any], *, method: str, **_kwargs: Any) -> dict[str, Any]:
    """Document the key that every POST takes."""
    if method.upper() == "POST":
        doc["parameters"] = [*doc.get("parameters", ()), idempotency.HEADER]
    return doc


def _prepare_problems(doc: dict[str, Any], doc_info: dict[str, Any], *, method: str, **_kwargs: Any) -> dict[str, Any]:
    """Document the refusals of a route: of its arguments and key, its path, its guard and its own."""
    families = set(doc_info.get("refuses", ()))
    takes_key = method.upper() == "POST"
    if "security" not in doc_info.get("manual_doc", {}):
        families |= {Unauthenticated, Conflict} if takes_key else {Unauthenticated}
    if takes_key or "arguments" in doc_info:
        families.add(Invalid)
    responses = {str(status): answer for status, answer in doc["responses"].items()}
    if "requestBody" in doc:
        responses |= {"400": "BadRequest", "413": "TooLarge", "415": "UnsupportedType"}
    responses |= {str(STATUS[family]): family.__name__ for family in families}
    doc["responses"] = dict(sorted(responses.items())) | {"default": "Problem"}
    return doc


class IdConverter(BaseConverter):
    """Identifiers in paths: what is no identifier is at no address."""

    regex = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def _json_schema_pattern(_converter: Any, field: fields.Field[Any], **_kwargs: Any) -> dict[str, Any]:
    """JSON Schema's patterns are ECMAScript's and match anywhere; ours match from the start, to `\\Z`."""
    if isinstance(field, Id):
        return {"format": "uuid", "pattern": f"^{IdConverter.regex}$"}
    if isinstance(field, Text):
        return {"pattern": "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f]*$"}
    for check in field.validators:
        if isinstance(check, validate.Regexp) and not isinstance(check, validate.Email | validate.URL):
            return {"pattern": f"^(?:{str(check.regex.pattern).removesuffix(END)})$"}
    return {}


class Api(flask_smorest.Api):
    """The document of all routes."""

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
                },
                "servers": [{"url": "/"}],
                "security": [{"accessToken": []}],
            },
        )
        super().__init__(app)
        self.register_converter(IdConverter, lambda _converter: {"type": "string", "format": "uuid"})
        self.ma_plugin.converter.add_attribute_function(_json_schema_pattern)
        self.spec.components.security_scheme(
            "accessToken",
            {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "15 minutes long."},
        )
        self.spec.components.parameter(idempotency.HEADER, "header", idempotency.PARAMETER)

    def _register_error_handlers(self) -> None:
        """Ours are in errors.py."""

    def _register_pagination_header(self) -> None:
        """Lists say in their body how to go on."""

    def _register_responses(self) -> None:
        self._register_problem("Problem", "Any other refusal.")
        self._register_problem("BadRequest", "The body is no JSON.")
        self._register_problem("TooLarge", "The body is larger than 64 KiB.")
        self._register_problem("UnsupportedType", "The body is not sent as application/json.")
        for family in STATUS:
            self._register_problem(family.__name__, str(family.__doc__).splitlines()[0])

    def _register_problem(self, name: str, says: str) -> None:
        answer = {"description": says, "content": {MEDIA_TYPE: {"schema": Problem}}}
        self.spec.components.response(name, answer, lazy=True)
