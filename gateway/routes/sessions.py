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
    """Exchange a refresh token for fresh tokens; it works once, and using it again ends the session.

    Should its answer get lost, it works once more: within 30 seconds, unless the token in that answer was used.
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
