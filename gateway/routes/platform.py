"""The platform itself: its health, its keys and its documents."""

import functools
import os
from pathlib import Path
from typing import Any

import flask
import flask_swagger_ui
from flask import Response, current_app
from marshmallow import fields
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest, multiprocess

from gateway import answers
from gateway.answers import JSON
from gateway.api import Blueprint
from gateway.door.auth import public
from gateway.refusals import COUNTED
from services.contracts import asyncapi as contracts
from services.contracts.shapes.parts import Shape

routes = Blueprint("platform", __name__, description="Health, keys and documents.", url_prefix="")
pages = flask.Blueprint("pages", __name__)

SWAGGER_UI = Path(flask_swagger_ui.__file__).with_name("dist")
PAGE = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hearth: the API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
SCRIPT = b"""SwaggerUIBundle({url: "/openapi.json", dom_id: "#page", deepLinking: true, validatorUrl: null});
"""
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'"
)


class Live(Shape):
    """The process answers."""

    live = fields.Boolean(required=True)


class Ready(Shape):
    """The readiness of the platform's parts."""

    ready = fields.Boolean(required=True)
    missing = fields.List(
        fields.String(),
        required=True,
        metadata={
            "description": "Capabilities (and `store`, where only that is missing), `broker`, or a stopping `gateway`.",
            "example": ["feedback.voices", "members.accounts store"],
        },
    )


class KeySet(Shape):
    """A JWK Set (RFC 7517)."""

    keys = fields.List(fields.Dict(), required=True, metadata={"example": [{"kty": "OKP", "crv": "Ed25519", "x": "…"}]})


@routes.route("/livez")
@routes.response(200, Live)
@public
def livez() -> Any:
    """Tell that the process answers."""
    return {"live": True}


@routes.route("/readyz")
@routes.response(200, Ready)
@routes.alt_response(503, Ready, description="Something is missing.")
@public
def readyz() -> Any:
    """Tell if all capabilities answer, and name those that do not."""
    return _readiness(current_app.extensions["health"].missing())


@routes.route("/readyz/gateway")
@routes.response(200, Ready)
@routes.alt_response(503, Ready, description="This gateway is not on the bus, or is stopping.")
@routes.refuses(*COUNTED)
@public
def readyz_gateway() -> Any:
    """Tell if this gateway can take requests, regardless of capabilities. Load balancers ask this."""
    return _readiness(current_app.extensions["health"].missing_here())


@routes.route("/metrics")
@routes.response(200, content_type="text/plain", description="Prometheus' text format.")
@public
def metrics() -> Any:
    """Show the metrics of this gateway, for Prometheus."""
    return Response(generate_latest(_registry()), content_type=CONTENT_TYPE_LATEST)


@routes.route("/.well-known/jwks.json")
@routes.response(200, KeySet)
@routes.refuses(*COUNTED)
@public
def jwks() -> Any:
    """Show the public keys with which anybody can check our access tokens."""
    return answers.write(current_app.extensions["jwks"], 200, {"Cache-Control": "public, max-age=300"})


@routes.route("/openapi.json")
@routes.response(200, content_type=JSON, description="OpenAPI 3.1.")
@routes.refuses(*COUNTED)
@public
def openapi() -> Any:
    """Show this document."""
    return answers.write(current_app.extensions["openapi"], 200, {"Cache-Control": "no-cache"})


@routes.route("/asyncapi.json")
@routes.response(200, content_type=JSON, description="AsyncAPI 3.0.")
@routes.refuses(*COUNTED)
@public
def asyncapi() -> Any:
    """Show the messages on the bus."""
    return answers.write(_asyncapi(), 200, {"Cache-Control": "no-cache"})


@pages.get("/docs", strict_slashes=False)
@public
def docs() -> Response:
    """A page to read and try the API. Everything that it loads comes from here."""
    return Response(PAGE, headers={"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-cache"})


@pages.get("/docs/start.js")
@public
def docs_script() -> Response:
    """The script that starts the page. It is a file of its own, so that the page needs no inline script."""
    return Response(SCRIPT, content_type="text/javascript", headers={"Cache-Control": "no-cache"})


@pages.get("/docs/<path:name>")
@public
def docs_part(name: str) -> Response:
    """A part of the page, from the package that brings it."""
    return flask.send_from_directory(SWAGGER_UI, name, max_age=86400)


def _readiness(missing: list[str]) -> Any:
    return answers.write({"ready": not missing, "missing": missing}, 503 if missing else 200, {})


def _registry() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


@functools.cache
def _asyncapi() -> dict[str, Any]:
    return contracts.committed()
