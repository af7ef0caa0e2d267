"""How routes are declared: an address for a call, or a view with decorators where there is more to do than to ask.

Underneath is flask-smorest, with strict bodies, answers passed on as they come, and problems. Whatever is the same for
all routes is written here, once; what the OpenAPI document says of it, in document.py.
"""

import re
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime, time
from functools import partialmethod, wraps
from typing import Any

import flask_smorest
from flask import Response
from marshmallow import Schema
from werkzeug.http import http_date

from gateway import answers, document
from gateway.answers import SAFE
from gateway.bus.rpc import call
from gateway.door import languages
from gateway.door.auth import public
from gateway.door.bodies import Parser
from services.contracts import moments
from services.contracts.calling import Call, UndeclaredCall
from services.contracts.catalogue import Message
from services.contracts.errors import Refusal, TooMany

View = Callable[..., Any]
Decorator = Callable[[View], View]

_IN_PATH = re.compile(r"<(?:\w+:)?(\w+)>")


def _plain(view: View) -> View:
    return view


class Blueprint(flask_smorest.Blueprint):
    """The routes of one noun. Its answers come shaped from the owning service; here they are only written."""

    ARGUMENTS_PARSER = Parser()

    def __init__(self, name: str, import_name: str, *, description: str, url_prefix: str = "/v1") -> None:
        super().__init__(name, import_name, description=description, url_prefix=url_prefix)
        self._prepare_doc_cbks += document.STEPS
        self.asks: list[Call] = []
        self.hears: dict[str, Message] = {}

    def ask(
        self,
        method: str,
        rule: str,
        asked: Call,
        *,
        location: str | None = None,
        sheet: bool = False,
        spoken: bool = False,
        shared: Decorator = _plain,
        deprecated: Decorator = _plain,
        **given: Callable[[], Any],
    ) -> None:
        """Give a call an address; `routes.get(rule, CALL)` and its like say the method.

        What the call takes comes from the path, from the body (for GET: the query), and from `given`: functions by the
        names of arguments. `location`, `sheet` and `spoken` are those of `response`. Raises UndeclaredCall when the
        call has no operation, or takes something else.
        """
        if asked.operation is None:
            raise UndeclaredCall(f"{asked.target} has no operation: it is made on the bus only, never at {rule}")
        body, shape = asked.body or (None, None)
        found = sorted([*_IN_PATH.findall(rule), *given, *filter(None, [body])])
        if found != sorted(asked.takes):
            raise UndeclaredCall(f"{asked.target} takes {sorted(asked.takes)}, and {method} {rule} gives it {found}")
        view = shared(_asking(asked, body, given))
        view = public(view) if asked.public else self.may(*asked.may, own=asked.own)(view)
        view = self.refuses(*asked.refuses, TooMany)(view)
        status = 201 if asked.makes else 200 if asked.gives else 204
        view = deprecated(self.response(status, asked.gives, location=location, sheet=sheet, spoken=spoken)(view))
        if shape:
            view = self.arguments(shape, location="query" if method in SAFE else "json")(view)
        self.asks.append(asked)
        self.route(rule, methods=[method])(view)

    get = partialmethod(ask, "GET")
    post = partialmethod(ask, "POST")
    put = partialmethod(ask, "PUT")
    patch = partialmethod(ask, "PATCH")
    delete = partialmethod(ask, "DELETE")

    def route(self, rule: str, **options: Any) -> Decorator:
        """Put a view at an address; its name is the operation's, too. It must be public or say who may use it."""
        register = super().route(rule, **options)
        methods = set(options.get("methods", ["GET"]))

        def decorator(view: View) -> View:
            known = getattr(view, "_apidoc", {})
            if "may" not in known and not getattr(view, "public", False):
                raise TypeError(f"{view.__name__} is neither public nor says who may use it")
            if not methods <= SAFE:
                named = "<" in rule or "POST" not in methods  # else something new is made
                known["takes_if_match"] = view.takes_if_match = named and known["versioned"]  # type: ignore[attr-defined]
            manual = {**known.get("manual_doc", {}), "operationId": view.__name__}
            view._apidoc = {**known, "manual_doc": manual}  # type: ignore[attr-defined]
            self.hears |= {message.key: message for message in getattr(view, "shared_until", ())}
            register(view)
            return view

        return decorator

    def arguments(self, shape: Schema, **kwargs: Any) -> Decorator:
        """Check the body (or the `location`) against a shape and pass it as the first argument."""
        check: Decorator = super().arguments(shape, **kwargs)  # an instance: making one costs more than using it
        return check

    def response(
        self,
        status_code: int,
        schema: type[Schema] | None = None,
        *,
        location: str | None = None,
        sheet: bool = False,
        spoken: bool = False,
        **kwargs: Any,
    ) -> Decorator:
        """Document the answer with its shape and send what the view returns as it is.

        `location` is where to find what was made, with fields of the answer in braces; `sheet` is whether a list can
        be had as a spreadsheet, too; `spoken` is whether it has sentences in the reader's language.
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
                made |= languages.said_in(languages.spoken()) if spoken else {}
                return answers.write(result, status_code, made | ({"Vary": "Accept"} if item else {}))

            known = registered(view)._apidoc  # type: ignore[attr-defined]
            versioned = schema is not None and "version" in schema().fields
            answer._apidoc = {**known, "versioned": versioned, "sheet": sheet, "spoken": spoken}  # type: ignore[attr-defined]
            return answer

        return decorator

    def alt_response(self, status_code: int, schema: type[Schema], **kwargs: Any) -> Decorator:
        """Document another answer that is no problem document."""
        registered: Decorator = super().alt_response(status_code, schema=schema, **kwargs)
        return registered

    def may(self, *roles: str, own: Collection[str] = ()) -> Decorator:
        """Say who may use a route: `roles`, and members with a role in `own` for what is theirs.

        The owning service decides; this is for the OpenAPI document, and for the tests that hold services to it.
        """
        return _noting(may={"any": sorted(roles), "own": sorted(own)})

    def refuses(self, *families: type[Refusal]) -> Decorator:
        """Document how a route may refuse, beyond what follows from its declaration."""
        return _noting(refuses=families)


def deprecated(*, since: date, sunset: date, instead: str) -> Decorator:
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


def _asking(asked: Call, body: str | None, given: dict[str, Callable[[], Any]]) -> View:
    """The view that asks with what was sent, what its path says, and what is `given`."""

    def view(*sent: Any, **arguments: Any) -> Any:
        if body is not None:
            (arguments[body],) = sent
        for name, give in given.items():
            arguments[name] = give()
        return call(asked, **arguments)

    view.__name__ = str(asked.operation)
    view.__doc__ = "\n\n".join(filter(None, (asked.says, asked.more)))
    return view


def _read(result: Any) -> Any:
    return result.read() if isinstance(result, answers.Written) else result


def _noting(**facts: Any) -> Decorator:
    def decorator(view: View) -> View:
        view._apidoc = {**getattr(view, "_apidoc", {}), **facts}  # type: ignore[attr-defined]
        return view

    return decorator


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
