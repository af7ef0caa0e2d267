"""`Idempotency-Key`: makes any POST safe to send again. It is checked here and passed on; services keep the answers.

Services keep answers per member, so keys of requests without an access token are not passed on. The answers to public
POSTs hold secrets, and their bodies hold passwords, of which a quick digest would be kept. An invitation works only
once anyway.
"""

import re
from typing import Any

from flask import Flask, g, request

from services.contracts.errors import Invalid

HEADER = "Idempotency-Key"
PARAMETER: dict[str, Any] = {
    "name": HEADER,
    "description": (
        "Makes it safe to send a request again, say after a time-out. Take a new random key for each new request, "
        "and the same key when trying again. The same request of the same member gets the same answer as the first "
        "time. Another request with a used key is refused (422, `idempotency_key_reused`), and so is a repeat while "
        "the first request still runs (409, `still_running`). Without an access token, nothing is remembered."
    ),
    "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
}

_is_key = re.compile(r"[!-~]{1,200}").fullmatch


def read() -> None:
    """Before each request, once the caller is known: take the key of a POST. Raises Invalid for a malformed key."""
    g.idempotency_key = None
    given = request.environ.get("HTTP_IDEMPOTENCY_KEY")
    if given is None or request.method != "POST" or request.endpoint is None:
        return
    if not _is_key(given):
        raise Invalid.field(HEADER, "Must be 1 to 200 visible ASCII characters, such as those of a UUID.")
    if g.token is not None:
        g.idempotency_key = given


def install(app: Flask) -> None:
    """Take the keys of all requests to the application. Install this after the identification of callers."""
    app.before_request(read)
