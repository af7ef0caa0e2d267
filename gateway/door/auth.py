"""Identifies the caller. Access tokens are checked with the hub's public keys. Only `@public` routes need none."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, g, request

from gateway.door import tickets
from gateway.door.limits import Rates, origin
from gateway.door.places import AtOnce, is_members
from services.contracts.errors import Unauthenticated
from services.ground.tokens import Tokens

WATCHED = {"platform.livez", "platform.readyz", "platform.metrics"}  # our own machines ask for these all the time
View = TypeVar("View", bound=Callable[..., Any])


def public(view: View) -> View:
    """Mark a view that needs no token."""
    marked: Any = view
    marked.public = True
    marked._apidoc = {**getattr(view, "_apidoc", {}), "manual_doc": {"security": []}}
    return view


def admit(rates: Rates, at_once: AtOnce) -> None:
    """Before each request: identify the caller, or refuse. Count it for the member, or else for its address."""
    try:
        authenticate(rates)
    except Unauthenticated:
        rates.count("anonymous", origin())  # after the check: a neighbour's failures must not count for a member
        raise
    if g.token:
        is_members(g.caller.id)
        rates.count("member", g.caller.id)
        at_once.begin("member", g.caller.id)
    elif request.endpoint not in WATCHED:
        rates.count("sign_in" if request.method == "POST" and request.endpoint else "anonymous", origin())
        at_once.begin("anonymous", origin())


def authenticate(rates: Rates) -> None:
    """Identify the caller, or raise Unauthenticated. Unknown addresses are left to the router."""
    g.token = None
    if request.method == "OPTIONS":  # a browser's preflight request has no token
        return
    endpoint = request.endpoint
    if endpoint is None or getattr(current_app.view_functions[endpoint], "public", False):
        return
    scheme, _, token = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if (admitted := tickets.token(rates)) is not None:
        token = admitted
    elif scheme.lower() != "bearer" or not token:
        raise Unauthenticated("token_missing", "Sign in first: this needs an access token.")
    caller = current_app.extensions["tokens"].caller(token)
    current_app.extensions["revoked"].check(caller)
    g.caller = caller
    g.token = token


def install(app: Flask, tokens: Tokens, rates: Rates, at_once: AtOnce) -> None:
    """Guard every route of the application."""
    app.extensions |= {"tokens": tokens, "rates": rates, "at_once": at_once}
    app.before_request(functools.partial(admit, rates, at_once))
