"""The language for a member: the one they have chosen, else the first that the request asks for and we speak."""

from functools import lru_cache
from operator import itemgetter

from flask import g, request
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from gateway.answers import LONGEST_WISH
from services.contracts import wording

MOST = 10  # languages of a request that are looked at


def asked() -> str | None:
    """The first language of `Accept-Language` (RFC 9110, section 12.5.4) that we speak; None if any will do."""
    wish = request.environ.get("HTTP_ACCEPT_LANGUAGE")
    return _best(wish) if wish and len(wish) <= LONGEST_WISH else None


def spoken() -> str:
    """The language for the present caller, or "" if they have no wish."""
    return g.caller.language or asked() or ""


def said_in(language: str) -> dict[str, str]:
    """The headers of an answer that has sentences in this language."""
    return {"Content-Language": (language or wording.ENGLISH).partition("-")[0], "Vary": "Accept-Language"}


@lru_cache(maxsize=1024)  # of short texts
def _best(wish: str) -> str | None:
    wishes = sorted(parse_accept_header(wish, LanguageAccept), key=itemgetter(1), reverse=True)
    for tag, quality in wishes[:MOST]:
        if tag == "*":
            return None
        if quality > 0 and (known := wording.understood(tag)):
            return known
    return None
