"""The application: `create()` puts the parts together. Each worker makes its own, after the fork."""

from typing import Any

import orjson
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from gateway import answers, config, errors, routes
from gateway.bus import house, revoked, stream
from gateway.bus.guard import Limits
from gateway.bus.house import House
from gateway.bus.link import Link
from gateway.bus.revoked import Revoked
from gateway.bus.rpc import Client
from gateway.bus.shared import Shared
from gateway.bus.stream import Streams
from gateway.document import Api
from gateway.door import audit, auth, hooks, idempotency, places
from gateway.door.limits import Rates
from gateway.health import Health
from gateway.routes import bus, platform, web
from services.contracts.calls import capabilities
from services.contracts.catalogue import Message
from services.ground import logs, tracing
from services.ground.tokens import Tokens


class Gateway(Flask):
    """The application with the parts that a worker starts and stops."""

    def __init__(self, settings: config.Config) -> None:
        super().__init__("gateway", static_folder=None)
        self.link = Link(settings.amqp_uri, settings.heartbeat)
        limits = Limits(settings.calls_waiting, settings.breaker_misses, settings.breaker_rest)
        client = Client(self.link, settings.rpc_timeout, limits)
        self.health = Health(client, capabilities())
        self.house = House(self.link, client)
        self.streams = Streams(
            self.link,
            self.house,
            most=settings.streams,
            most_per_member=settings.streams_per_member,
            heartbeat=settings.stream_heartbeat,
        )
        self.shared = Shared(self.link)
        self.notes = audit.Notes(self.link)
        self.revoked = Revoked(self.link, client)
        self.entrance = places.Entrance(settings.connections_per_address, settings.connections_per_member)
        self.extensions |= {"rpc": client, "health": self.health, "streams": self.streams}
        self.extensions |= {"shared": self.shared, "notes": self.notes, "revoked": self.revoked}
        self.extensions |= {"house": self.house}

    def ensure_sync(self, func: Any) -> Any:
        """Return the function. Views and hooks are plain functions here, so Flask need not examine them each time."""
        return func

    def start(self) -> None:
        """Connect to the bus."""
        self.link.start()
        self.notes.start()
        self.house.watch()
        self.revoked.watch(lambda: self.streams.end_unless(self.revoked.admits))

    def retire(self) -> None:
        """Report that this worker is not ready. Requests are still answered."""
        self.health.draining = True

    def drain(self) -> None:
        """End the streams, which would never end by themselves."""
        self.streams.close()

    def leave(self) -> None:
        """Send the remaining notes and traces, after the last request."""
        self.notes.settle()
        tracing.leave()


def hears() -> dict[str, Message]:
    """The messages that a worker hears, by key: of its streams, of lost access, of the house, and of what refreshes
    kept answers."""
    refreshing = (message for noun in routes.NOUNS for message in noun.routes.hears.values())
    return {message.key: message for message in (*stream.HEARS, *revoked.HEARS, *house.HEARS, *refreshing)}


def create(settings: config.Config | None = None) -> Gateway:
    """The gateway's application, from the environment if `settings` are not given."""
    settings = settings or config.load()
    logs.configure("gateway", settings.log_level, settings.log_format)
    tracing.configure("gateway", settings.traces_to)
    app = Gateway(settings)
    app.config["REQUEST_TIMEOUT"] = settings.request_timeout
    app.config["ARRIVES_WITHIN"] = settings.arrives_within
    app.config["COUNTS_CONNECTIONS"] = settings.trusted_proxies == 0  # else all connections are a proxy's
    places.install(app)
    if proxies := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]
    hooks.install_cors(app, settings.cors_origins)
    hooks.install(app)
    errors.install(app)
    audit.install(app)
    rates = Rates(
        member=settings.rate_limit, anonymous=settings.rate_limit_anonymous, sign_in=settings.rate_limit_sign_in
    )
    at_once = places.AtOnce(member=settings.at_once, anonymous=settings.at_once_anonymous)
    auth.install(app, Tokens(settings.jwks_file), rates, at_once)
    idempotency.install(app)
    answers.install(app)
    api = Api(app)
    for noun in routes.NOUNS:
        api.register_blueprint(noun.routes)
    app.register_blueprint(platform.pages)
    app.register_blueprint(bus.pages)
    app.register_blueprint(web.pages)
    for view in app.view_functions.values():
        app.shared.refresh(view.__name__, getattr(view, "shared_until", ()))
    app.extensions["jwks"] = orjson.loads(settings.jwks_file.read_bytes())
    app.extensions["openapi"] = api.document()
    return app
