"""How a member is spoken to: in the language and zone that they have chosen.

Who has chosen no language is spoken to in the first that they ask for, else in the hub's first. Who has chosen no zone
is told of times in the hub's.
"""

from functools import lru_cache
from operator import itemgetter

from flask import current_app, g, request
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from services.contracts import wording

LONGEST_WISH = 1000  # characters of a header that says how an answer is wanted; browsers need some 200
MOST = 10  # languages of a request that are looked at


def asked() -> str | None:
    """The first language of `Accept-Language` (RFC 9110, section 12.5.4) that we speak; None if any will do."""
    wish = request.environ.get("HTTP_ACCEPT_LANGUAGE")
    return _best(wish) if wish and len(wish) <= LONGEST_WISH else None


def wished() -> str:
    """The language that the member at hand has chosen, or else asks for; empty where they have no wish."""
    return g.caller.language or asked() or ""


def spoken() -> str:
    """The language in which the member at hand is spoken to."""
    return wished() or str(current_app.extensions["house"].habits.language)


def zone() -> str:
    """The zone in which the member at hand is told of times."""
    return g.caller.zone or str(current_app.extensions["house"].habits.zone)


def said_in(language: str) -> dict[str, str]:
    """The headers of an answer that has sentences in this language."""
    return {"Content-Language": language.partition("-")[0], "Vary": "Accept-Language"}


@lru_cache(maxsize=1024)  # of short texts
def _best(wish: str) -> str | None:
    wishes = sorted(parse_accept_header(wish, LanguageAccept), key=itemgetter(1), reverse=True)
    for tag, quality in wishes[:MOST]:
        if tag == "*":
            return None
        if quality > 0 and (known := wording.understood(tag)):
            return known
    return None
