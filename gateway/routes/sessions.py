"""Sessions: signing in and out."""

from typing import Any

from gateway.api import Blueprint
from gateway.bus.rpc import call
from gateway.door.auth import public
from gateway.door.limits import origin
from services.contracts.errors import Forbidden, Unauthenticated
from services.contracts.shapes.members import Credentials, RefreshRequest, SignedIn, Tokens
from services.contracts.shapes.parts import ROLES

routes = Blueprint("sessions", __name__, description="Signing in and out.")


@routes.route("/sessions", methods=["POST"])
@routes.arguments(Credentials)
@routes.response(201, SignedIn, location="/v1/sessions/current")
@routes.refuses(Unauthenticated, Forbidden)
@public
def sign_in(credentials: dict[str, Any]) -> Any:
    """Sign in with address and password.

    Too many wrong passwords are refused with `too_many_attempts`: 5 in 15 minutes at an account from one address, and
    more from many. A device that sends its `device_token` is counted for itself. So it is not shut out when others
    guess, be it from the same address.
    """
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
    """Sign out on all devices. Their device tokens are forgotten, too."""
    return call("members.sessions", "close_all")
