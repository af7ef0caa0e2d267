"""The gateway with one more route: `/v1/echo/<id>` asks a service that returns the id."""

from types import SimpleNamespace

from gateway import app, routes
from gateway.api import Blueprint
from tests.bench.words import ECHO

echoes = Blueprint("echo", __name__, description="What comes back.")
echoes.get("/echo/<id:text>", ECHO)


def create() -> app.Gateway:
    """The gateway's application, with that route."""
    routes.NOUNS = (*routes.NOUNS, SimpleNamespace(routes=echoes))  # type: ignore[assignment, arg-type]
    return app.create()
