"""Who is asking: bearer tokens, checked with the hub's public keys. Every route that isn't `@public` needs one."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, g, request

from services.chassis.tokens import Tokens
from services.contracts.errors import Unauthenticated

View = TypeVar("View", bound=Callable[..., Any])


def public(view: View) -> View:
    """Mark a view that needs no token."""
    marked: Any = view
    marked.public = True
    marked._apidoc = {**getattr(view, "_apidoc", {}), "manual_doc": {"security": []}}
    return view


def authenticate() -> None:
    """Before each request: find out who asks, or refuse. Unknown addresses are left to the router."""
    g.token = None
    if request.method == "OPTIONS":  # browsers ask without a token whether they may ask
        return
    if request.endpoint is None or getattr(current_app.view_functions[request.endpoint], "public", False):
        return
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("token_missing", "Sign in first: this needs an access token.")
    g.caller = current_app.extensions["tokens"].caller(token)
    g.token = token


def install(app: Flask, tokens: Tokens) -> None:
    """Guard every route of the application."""
    app.extensions["tokens"] = tokens
    app.before_request(authenticate)
