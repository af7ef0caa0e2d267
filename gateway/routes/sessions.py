"""Sessions: signing in and out."""

from gateway.api import Blueprint
from gateway.door.limits import origin
from services.contracts.calls.members import REFRESH_SESSION, SIGN_IN, SIGN_OUT, SIGN_OUT_EVERYWHERE

routes = Blueprint("sessions", __name__, description="Signing in and out.")

routes.post("/sessions", SIGN_IN, location="/v1/sessions/current", origin=origin)
routes.post("/sessions/refresh", REFRESH_SESSION, location="/v1/sessions/current")
routes.delete("/sessions/current", SIGN_OUT)
routes.delete("/sessions", SIGN_OUT_EVERYWHERE)
