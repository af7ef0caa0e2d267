"""Sessions: signing in and out, with tokens or with a browser."""

from typing import Any

from gateway.api import Blueprint
from gateway.bus.rpc import call
from gateway.door import browser
from gateway.door.auth import public
from gateway.door.limits import origin
from services.contracts.calls.members import REFRESH_SESSION, SIGN_IN, SIGN_OUT, SIGN_OUT_EVERYWHERE
from services.contracts.errors import Forbidden, TooMany, Unauthenticated
from services.contracts.roles import MEMBERS
from services.contracts.shapes.sessions import BrowserCredentials, BrowserTokens

routes = Blueprint("sessions", __name__, description="Signing in and out.")

routes.post("/sessions", SIGN_IN, location="/v1/sessions/current", origin=origin, browser=lambda: False)
routes.post("/sessions/refresh", REFRESH_SESSION, location="/v1/sessions/current")
routes.delete("/sessions/current", SIGN_OUT)
routes.delete("/sessions", SIGN_OUT_EVERYWHERE)


@routes.route("/sessions/browser", methods=["POST"])
@routes.arguments(BrowserCredentials())
@routes.response(201, BrowserTokens, location="/v1/sessions/current")
@routes.refuses(Unauthenticated, Forbidden, TooMany)
@public
@browser.of_our_pages
@browser.keeping_tokens
def sign_in_with_browser(credentials: dict[str, Any]) -> Any:
    """Sign in with a browser. The refresh token and the device token are set as cookies.

    Only pages of the same origin may ask for this.
    """
    credentials |= {"device_token": browser.device_token()}
    return call(SIGN_IN, credentials=credentials, origin=origin(), browser=True)


@routes.route("/sessions/browser/refresh", methods=["POST"])
@routes.response(201, BrowserTokens, location="/v1/sessions/current")
@routes.refuses(Unauthenticated, Forbidden, TooMany)
@public
@browser.of_our_pages
@browser.keeping_tokens
def refresh_browser_session() -> Any:
    """Get a fresh access token by the session's cookie. It needs no body.

    If an answer was lost, the cookie works again, for at most a day and until the next one was used.
    """
    return call(REFRESH_SESSION, request={"refresh_token": browser.refresh_token()})


@routes.route("/sessions/browser", methods=["DELETE"])
@routes.response(204)
@routes.refuses(Forbidden, TooMany)
@routes.may(*MEMBERS)
@browser.of_our_pages
def sign_out_of_browser() -> Any:
    """Sign out with this browser. Its session ends and its cookie is deleted."""
    browser.forget()
    return call(SIGN_OUT)
