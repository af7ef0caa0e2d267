"""How routes are declared: flask-smorest, with strict bodies, answers passed on as they come, and problems.

Whatever is the same for all routes is written here, once; what the OpenAPI document says of it, in document.py.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from functools import wraps
from typing import Any, ClassVar

import flask_smorest
import orjson
from flask import Request, Response, current_app, g
from marshmallow import EXCLUDE, Schema, ValidationError
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.http import http_date

from gateway import answers, document
from gateway.answers import JSON, SAFE
from gateway.bus.shared import Shared
from gateway.door.hooks import LARGEST_BODY, arrived
from services.contracts import moments
from services.contracts.catalogue import Message
from services.contracts.errors import Refusal, invalid

View = Callable[..., Any]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("duplicate key")
    return found


_load = json.JSONDecoder(object_pairs_hook=_unique).decode


class Parser(FlaskParser):
    """Reads bodies strictly (RFC 8259, I-JSON's unique names) and refuses what a shape refuses."""

    # A shape itself says what it does with unknown fields, except for headers: everybody adds some.
    DEFAULT_UNKNOWN_BY_LOCATION: ClassVar[dict[str, str | None]] = {"headers": EXCLUDE}  # type: ignore[misc]

    def load_json(self, req: Request, schema: Schema) -> Any:
        if req.mimetype != JSON:
            raise UnsupportedMediaType
        body = req.get_data()
        arrived()
        if len(body) > LARGEST_BODY:
            raise RequestEntityTooLarge
        try:
            orjson.loads(body)  # refuses what the standard library lets pass: NaN, lone surrogates, bad UTF-8
            return _load(body.decode())
        except (ValueError, RecursionError):
            raise BadRequest from None

    def handle_error(self, error: ValidationError, req: Request, schema: Schema, **kwargs: Any) -> Any:
        raise invalid(next(iter(error.messages_dict.values()))) from None


class Blueprint(flask_smorest.Blueprint):
    """The routes of one noun. Its answers come shaped from the owning service; here they are only written."""

    ARGUMENTS_PARSER = Parser()

    def __init__(self, name: str, import_name: str, *, description: str, url_prefix: str = "/v1") -> None:
        super().__init__(name, import_name, description=description, url_prefix=url_prefix)
        self._prepare_doc_cbks += document.STEPS
        self._changers: set[str] = set()

    def route(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Put a view at an address; its name is the operation's, too. It must be public or say who may use it."""
        register = super().route(rule, **options)
        methods = set(options.get("methods", ["GET"]))

        def decorator(view: View) -> View:
            known = getattr(view, "_apidoc", {})
            if "may" not in known and not getattr(view, "public", False):
                raise TypeError(f"{view.__name__} is neither public nor says who may use it")
            if not methods <= SAFE:
                self._changers |= {role for roles in known.get("may", {}).values() for role in roles}
                named = "<" in rule or "POST" not in methods  # else something new is made
                known["takes_if_match"] = view.takes_if_match = named and known["versioned"]  # type: ignore[attr-defined]
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
        sheet: bool = False,
        **kwargs: Any,
    ) -> Callable[[View], View]:
        """Document the answer with its shape and send what the view returns as it is.

        `location` is where to find what was made, with fields of the answer in braces; `sheet` is whether a list can
        be had as a spreadsheet, too.
        """
        headers = {"Location": {"schema": {"type": "string", "format": "uri-reference"}}} if location else {}
        registered = super().response(status_code, schema, headers=headers, **kwargs)
        item = schema().fields["items"].inner.schema if sheet and schema else None  # type: ignore[attr-defined]

        def decorator(view: View) -> View:
            @wraps(view)
            def answer(*args: Any, **view_args: Any) -> Response:
                if item is not None and answers.wants_sheet():
                    query, *rest = args
                    return answers.sheet(
                        item, lambda **part: _read(view({**query, **part}, *rest, **view_args)), query["cursor"]
                    )
                result = view(*args, **view_args)
                if isinstance(result, Response):
                    return result
                if schema is None:
                    return Response(status=status_code)
                made = {"Location": location.format_map(result)} if location else {}
                return answers.write(result, status_code, made | ({"Vary": "Accept"} if item else {}))

            known = registered(view)._apidoc  # type: ignore[attr-defined]
            versioned = schema is not None and "version" in schema().fields
            answer._apidoc = {**known, "versioned": versioned, "sheet": sheet}  # type: ignore[attr-defined]
            return answer

        return decorator

    def alt_response(self, status_code: int, schema: type[Schema], **kwargs: Any) -> Callable[[View], View]:
        """Document another answer that is no problem document."""
        registered: Callable[[View], View] = super().alt_response(status_code, schema=schema, **kwargs)
        return registered

    def may(self, *roles: str, own: Sequence[str] = ()) -> Callable[[View], View]:
        """Say who may use a route: `roles`, and members with a role in `own` for what is theirs.

        The owning service decides; this is for the OpenAPI document, and for the tests that hold services to it.
        """
        return _noting(may={"any": sorted(roles), "own": sorted(own)})

    def shared(self, *messages: Message, unless: dict[str, Any] | None = None) -> Callable[[View], View]:
        """Keep answers that many read alike, until one of these messages is heard; stands right above the view.

        Whoever has a role that may change something of this noun is always asked for anew, and so are queries with
        what `unless` says: the former must see what they have just done, the latter are answered to each differently.
        """

        def decorator(view: View) -> View:
            @wraps(view)
            def answer(*args: Any, **view_args: Any) -> Any:
                differs = unless is not None and unless.items() <= args[0].items()
                if differs or g.caller.has(*self._changers):
                    return view(*args, **view_args)
                kept: Shared = current_app.extensions["shared"]
                key = orjson.dumps([view.__name__, args, view_args])
                return kept.get(key, lambda: view(*args, **view_args))

            answer.refreshed_by = {message.key for message in messages}  # type: ignore[attr-defined]
            return answer

        return decorator

    def refuses(self, *families: type[Refusal]) -> Callable[[View], View]:
        """Document how a route may refuse, beyond what follows from its declaration."""
        return _noting(refuses=families)

    def deprecated(self, *, since: date, sunset: date, instead: str) -> Callable[[View], View]:
        """Announce the end of a route (RFC 9745, RFC 8594) and what to use instead; stands above its `response`."""
        told = {
            "Deprecation": f"@{moments.to_ms(_midnight(since)) // 1000}",
            "Sunset": http_date(_midnight(sunset)),
            "Link": f'<{instead}>; rel="successor-version"',
        }

        def decorator(view: View) -> View:
            @wraps(view)
            def answer(*args: Any, **view_args: Any) -> Response:
                written: Response = view(*args, **view_args)
                for name, value in told.items():
                    written.headers.add(name, value)
                return written

            manual = {"deprecated": True, "x-sunset": sunset.isoformat()}
            known = getattr(view, "_apidoc", {})
            answer._apidoc = {**known, "manual_doc": {**known.get("manual_doc", {}), **manual}}  # type: ignore[attr-defined]
            return answer

        return decorator


def _read(result: Any) -> Any:
    return result.read() if isinstance(result, answers.Written) else result


def _noting(**facts: Any) -> Callable[[View], View]:
    def decorator(view: View) -> View:
        view._apidoc = {**getattr(view, "_apidoc", {}), **facts}  # type: ignore[attr-defined]
        return view

    return decorator


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
