"""Sessions: signing in and out, with tokens or with a browser."""

from gateway.api import Blueprint
from gateway.door import browser
from gateway.door.limits import origin
from services.contracts.calls import sessions as calls
from services.contracts.shapes.sessions import BrowserTokens

routes = Blueprint("sessions", __name__, description="Signing in and out.")

routes.post("/sessions", calls.SIGN_IN, location="/v1/sessions/current", origin=origin)
routes.post("/sessions/refresh", calls.REFRESH_SESSION, location="/v1/sessions/current")
routes.delete("/sessions/current", calls.SIGN_OUT)
routes.delete("/sessions", calls.SIGN_OUT_EVERYWHERE)

routes.post(
    "/sessions/browser",
    calls.SIGN_IN_WITH_BROWSER,
    location="/v1/sessions/current",
    around=browser.keeping_tokens,
    shows=BrowserTokens,
    origin=origin,
    device_token=browser.device_token,
)
routes.post(
    "/sessions/browser/refresh",
    calls.REFRESH_BROWSER_SESSION,
    location="/v1/sessions/current",
    around=browser.keeping_tokens,
    shows=BrowserTokens,
    refresh_token=browser.refresh_token,
)
routes.delete("/sessions/browser", calls.SIGN_OUT_OF_BROWSER, around=browser.forgetting_tokens)
