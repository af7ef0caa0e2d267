"""Sessions: signing in and out."""

from typing import Any

from gateway.api import Blueprint
from gateway.auth import public
from gateway.limits import origin
from gateway.rpc import call
from services.contracts.errors import Unauthenticated
from services.contracts.shapes.members import Credentials, RefreshRequest, Tokens
from services.contracts.shapes.parts import ROLES

routes = Blueprint("sessions", __name__, description="Signing in and out.")


@routes.route("/sessions", methods=["POST"])
@routes.arguments(Credentials)
@routes.response(201, Tokens, location="/v1/sessions/current")
@routes.refuses(Unauthenticated)
@public
def sign_in(credentials: dict[str, Any]) -> Any:
    """Sign in with address and password."""
    return call("members.sessions", "open", credentials=credentials, origin=origin())


@routes.route("/sessions/refresh", methods=["POST"])
@routes.arguments(RefreshRequest)
@routes.response(201, Tokens, location="/v1/sessions/current")
@routes.refuses(Unauthenticated)
@public
def refresh_session(request: dict[str, Any]) -> Any:
    """Exchange a refresh token for fresh tokens.

    Whoever sends the same token again within 30 seconds gets the same next refresh token, with an access token of
    their own: so tabs can share one, and a lost answer can be asked for again. A token that is used later than that
    ends the session. A session lasts 90 days at most. Then sign in again.
    """
    return call("members.sessions", "refresh", request=request)


@routes.route("/sessions/current", methods=["DELETE"])
@routes.response(204)
@routes.may(*ROLES)
def sign_out() -> Any:
    """Sign out here."""
    return call("members.sessions", "close")


@routes.route("/sessions", methods=["DELETE"])
@routes.response(204)
@routes.may(*ROLES)
def sign_out_everywhere() -> Any:
    """Sign out on all devices."""
    return call("members.sessions", "close_all")
