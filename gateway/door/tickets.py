"""Tickets: a browser's `EventSource` can't send an access token, so it opens the live stream with a ticket.

The members service keeps the tickets. It exchanges one, once, for an access token of the session that asked for it.
"""

import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

from flask import current_app, g, request

from gateway.bus.rpc import ask
from gateway.door.limits import Rates, origin
from services.contracts.calls.sessions import REDEEM_STREAM_TICKET
from services.contracts.errors import Unauthenticated

View = TypeVar("View", bound=Callable[..., Any])
_is_ticket = re.compile(r"[\w-]{43}", re.ASCII).fullmatch


def admitting(view: View) -> View:
    """Mark a view that also admits callers with a ticket."""
    marked: Any = view
    marked.admits_tickets = True
    return view


def token(rates: Rates) -> str | None:
    """The access token to which the ticket of this request leads. None if it has no ticket, or has a token itself.

    Tickets count like attempts to sign in: each costs a call. Raises Unauthenticated if the ticket does not work.
    """
    ticket = request.args.get("ticket")
    if ticket is None or request.method != "GET" or "HTTP_AUTHORIZATION" in request.environ:
        return None
    if not getattr(current_app.view_functions[request.endpoint or ""], "admits_tickets", False):
        return None
    rates.count("sign_in", origin())
    if not _is_ticket(ticket):
        raise Unauthenticated("ticket_refused", "This is no ticket of ours. Ask for a new one.")
    left = g.until - time.monotonic()
    found = ask(current_app.extensions["rpc"], REDEEM_STREAM_TICKET, g.correlation_id, left, ticket=ticket)
    return str(found["access_token"])
