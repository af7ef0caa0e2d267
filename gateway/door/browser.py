"""Browser sessions: the refresh token and the device token stay in cookies that no script can read.

This is the only file that knows cookies. Only the operations under `/v1/sessions/browser` read them, so a page of
another site can forge no other request. These operations also check where the page that asks comes from.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from flask import Response, after_this_request, request

from services.contracts.errors import Forbidden, Unauthenticated

# Browsers take cookies of this prefix over https only, and other sites of the same domain can't set them (RFC 6265bis).
SESSION, DEVICE = "__Host-hearth", "__Host-hearth-device"
LASTS = {SESSION: 30 * 86_400, DEVICE: 180 * 86_400}  # seconds, as long as the tokens themselves
IN_COOKIES = {"refresh_token": SESSION, "device_token": DEVICE}

View = Callable[..., Any]


def of_our_pages(view: View) -> View:
    """Refuse what the pages of other origins ask for. Put it above everything that reads or sets a cookie."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if not _is_ours():
            raise Forbidden("foreign_origin", "Only the hub's own pages may ask for this. Open the hub's own address.")
        return view(*args, **kwargs)

    return guarded


def keeping_tokens(view: View) -> View:
    """Move the tokens of an answer into cookies. A refused token is deleted, as it will never work again."""

    @wraps(view)
    def kept(*args: Any, **kwargs: Any) -> Any:
        try:
            answer = view(*args, **kwargs)
        except Unauthenticated:
            forget()
            raise
        tokens = answer.read() if hasattr(answer, "read") else dict(answer)
        for field, cookie in IN_COOKIES.items():
            if field in tokens:
                _set(cookie, tokens.pop(field), LASTS[cookie])
        return tokens

    return kept


def refresh_token() -> str:
    """The refresh token of this browser. Raises Unauthenticated if it has none."""
    found = request.cookies.get(SESSION)
    if not found or len(found) > 200:
        raise Unauthenticated("session_missing", "Nobody is signed in with this browser. Sign in first.")
    return found


def device_token() -> str | None:
    """The device token of this browser, if somebody signed in with it before."""
    found = request.cookies.get(DEVICE)
    return found if found and len(found) <= 200 else None


def forget() -> None:
    """Delete the session's cookie. The device stays known."""
    _set(SESSION, "", 0)


def _set(cookie: str, value: str, lasts: int) -> None:
    @after_this_request
    def _with_cookie(answer: Response) -> Response:
        answer.set_cookie(cookie, value, max_age=lasts, path="/", secure=True, httponly=True, samesite="Strict")
        return answer


def _is_ours() -> bool:
    """True if the request comes from a page of this address. Old browsers do not say so, but name the origin."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return urlsplit(request.headers.get("Origin", "")).netloc == request.host
