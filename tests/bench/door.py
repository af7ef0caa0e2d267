"""The gateway with one more route: `/v1/echo/<id>` asks a service that returns the id."""

from types import SimpleNamespace
from typing import Any

from marshmallow import fields

from gateway import app, routes
from gateway.api import Blueprint
from gateway.bus.rpc import call
from gateway.door.auth import public
from services.contracts.shapes.parts import Shape

echoes = Blueprint("echo", __name__, description="What comes back.")


class Echo(Shape):
    text = fields.String(required=True, metadata={"example": "018f2d6e-5b7c-7a3e-9c41-0f2b6d7e8a90"})


@echoes.route("/echo/<id:text>")
@echoes.response(200, Echo)
@public
def echo(text: str) -> Any:
    """Say it again."""
    return call("bench.echo", "echo", text=text)


def create() -> app.Gateway:
    """The gateway's application, with that route."""
    routes.NOUNS = (*routes.NOUNS, SimpleNamespace(routes=echoes))  # type: ignore[assignment, arg-type]
    return app.create()
