"""Declares routes: an address for a call, or a view with decorators if a single call is not enough.

It builds on flask-smorest, with strict bodies, answers passed on unchanged, and problem documents. Everything common to
all routes is written here once. document.py writes its part of the OpenAPI document.
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

from gateway import answers, document, sheets
from gateway.answers import SAFE
from gateway.bus.rpc import call
from gateway.door import languages
from gateway.door.auth import public
from gateway.door.bodies import Parser
from gateway.refusals import COUNTED
from services.contracts import moments
from services.contracts.calling import Call, UndeclaredCall
from services.contracts.catalogue import Message

View = Callable[..., Any]
Decorator = Callable[[View], View]

_IN_PATH = re.compile(r"<(?:\w+:)?(\w+)>")


def _plain(view: View) -> View:
    return view


class Blueprint(flask_smorest.Blueprint):
    """The routes of one noun. The owning service shapes the answers; the gateway only writes them."""

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
        around: Decorator = _plain,
        shows: type[Schema] | None = None,
        deprecated: Decorator = _plain,
        **given: Callable[[], Any],
    ) -> None:
        """Give a call an address. Use the shorthands for each method, such as `routes.get(rule, CALL)`.

        The call's arguments come from the path, from the body (for GET: the query), and from `given`: functions by the
        names of arguments. `location`, `sheet` and `spoken` are those of `response`. `around` decorates the view, which
        may then answer with another shape, `shows`. Raises UndeclaredCall if the call has no operation, or takes other
        arguments.
        """
        if asked.operation is None:
            raise UndeclaredCall(f"{asked.target} has no operation: it is made on the bus only, never at {rule}")
        body, shape = asked.body or (None, None)
        found = sorted([*_IN_PATH.findall(rule), *given, *filter(None, [body])])
        if found != sorted(asked.takes):
            raise UndeclaredCall(f"{asked.target} takes {sorted(asked.takes)}, and {method} {rule} gives it {found}")
        view = around(shared(_asking(asked, body, given)))
        view = public(view) if asked.public else self.may(*asked.may, own=asked.own)(view)
        view = self.refuses(*asked.refuses, *COUNTED)(view)
        status = 201 if asked.makes else 200 if asked.gives else 204
        view = deprecated(
            self.response(status, shows or asked.gives, location=location, sheet=sheet, spoken=spoken)(view)
        )
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
        """Put a view at an address. Its name is also the operation's. It must be public or declare its roles."""
        register = super().route(rule, **options)
        methods = set(options.get("methods", ["GET"]))

        def decorator(view: View) -> View:
            known = getattr(view, "_apidoc", {})
            if "may" not in known and not getattr(view, "public", False):
                raise TypeError(f"{view.__name__} is neither public nor says who may use it")
            if not methods <= SAFE:
                named = "<" in rule or "POST" not in methods  # else the request makes something new
                known["takes_if_match"] = view.takes_if_match = named and known["versioned"]  # type: ignore[attr-defined]
            manual = {**known.get("manual_doc", {}), "operationId": view.__name__}
            view._apidoc = {**known, "manual_doc": manual}  # type: ignore[attr-defined]
            self.hears |= {message.key: message for message in getattr(view, "shared_until", ())}
            register(view)
            return view

        return decorator

    def arguments(self, shape: Schema, **kwargs: Any) -> Decorator:
        """Check the body (or the `location`) against a shape and pass it as the first argument."""
        check: Decorator = super().arguments(shape, **kwargs)  # an instance is cheap to reuse
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
        """Document the answer with its shape, and send the view's result unchanged.

        `location` is the address of the new thing, with fields of the answer in braces. `sheet` is True for a list that
        is also given as a spreadsheet. `spoken` is True for answers with sentences in the reader's language.
        """
        headers = {"Location": {"schema": {"type": "string", "format": "uri-reference"}}} if location else {}
        registered = super().response(status_code, schema, headers=headers, **kwargs)
        item = schema().fields["items"].inner.schema if sheet and schema else None  # type: ignore[attr-defined]

        def decorator(view: View) -> View:
            @wraps(view)
            def answer(*args: Any, **view_args: Any) -> Response:
                if item is not None and sheets.wants_sheet():
                    query, *rest = args
                    return sheets.sheet(
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
        """Document another answer that is not a problem document."""
        registered: Decorator = super().alt_response(status_code, schema=schema, **kwargs)
        return registered

    def may(self, *roles: str, own: Collection[str] = ()) -> Decorator:
        """Declare the users of a route: members with one of `roles`, and with a role in `own` for their own things.

        The owning service decides. This is for the OpenAPI document, and for tests that check the services against it.
        """
        return _noting(may={"any": sorted(roles), "own": sorted(own)})

    def refuses(self, *codes: str) -> Decorator:
        """Document codes with which a route refuses, and which do not follow from its declaration."""
        return _noting(refuses=codes)


def deprecated(*, since: date, sunset: date, instead: str) -> Decorator:
    """Announce the end of a route (RFC 9745, RFC 8594) and its replacement. Put it above the route's `response`."""
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
    """The view that makes the call with the body or query, the path's arguments, and the results of `given`."""

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
