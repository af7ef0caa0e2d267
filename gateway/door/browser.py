"""Browser sessions: the refresh token and the device token stay in cookies that no script can read.

This is the only file that knows cookies. Only the operations under `/v1/sessions/browser` read them, so a page of
another site can forge no other request. These operations also check where the page that asks comes from.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from flask import Response, after_this_request, request

from gateway.answers import Written
from services.contracts.errors import Forbidden, Unauthenticated

# Browsers take cookies of this prefix over https only, and other sites of the same domain can't set them (RFC 6265bis).
SESSION, DEVICE = "__Host-hearth", "__Host-hearth-device"
LASTS = {SESSION: 30 * 86_400, DEVICE: 180 * 86_400}  # seconds, as long as the tokens themselves
LONGEST = 200  # characters of a token; ours are shorter
IN_COOKIES = {"refresh_token": SESSION, "device_token": DEVICE}

View = Callable[..., Any]


def keeping_tokens(view: View) -> View:
    """Move the tokens of an answer into cookies. The cookie of a refused token is deleted.

    Raises Forbidden for pages of other origins.
    """

    @wraps(view)
    def kept(*args: Any, **kwargs: Any) -> Any:
        _check_page()
        try:
            answer = view(*args, **kwargs)
        except Unauthenticated:
            _forget()
            raise
        tokens = answer.read() if isinstance(answer, Written) else dict(answer)
        for field, cookie in IN_COOKIES.items():
            if field in tokens:
                _set(cookie, tokens.pop(field), LASTS[cookie])
        return tokens

    return kept


def forgetting_tokens(view: View) -> View:
    """Delete the session's cookie; the device stays known. Raises Forbidden for pages of other origins."""

    @wraps(view)
    def forgotten(*args: Any, **kwargs: Any) -> Any:
        _check_page()
        _forget()
        return view(*args, **kwargs)

    return forgotten


def refresh_token() -> str:
    """The refresh token of this browser. Raises Unauthenticated if it has none."""
    found = request.cookies.get(SESSION)
    if not found or len(found) > LONGEST:
        raise Unauthenticated("session_missing", "Nobody is signed in with this browser. Sign in first.")
    return found


def device_token() -> str:
    """The device token of this browser; empty if nobody signed in with it before."""
    found = request.cookies.get(DEVICE, "")
    return found if len(found) <= LONGEST else ""


def _forget() -> None:
    _set(SESSION, "", 0)


def _set(cookie: str, value: str, lasts: int) -> None:
    @after_this_request
    def _with_cookie(answer: Response) -> Response:
        answer.set_cookie(cookie, value, max_age=lasts, path="/", secure=True, httponly=True, samesite="Strict")
        return answer


def _check_page() -> None:
    """Check that a page of this address asks. Old browsers do not say so, but name the origin. Raises Forbidden."""
    site = request.headers.get("Sec-Fetch-Site")
    ours = site == "same-origin" if site else urlsplit(request.headers.get("Origin", "")).netloc == request.host
    if not ours:
        raise Forbidden("foreign_origin", "Only the hub's own pages may ask for this. Open the hub's own address.")
