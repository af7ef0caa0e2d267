"""The application: `create()` puts the parts together; one is made in each worker, after the fork."""

from flask import Flask

from gateway import audit, auth, config, errors, hooks, idempotency, routes
from gateway.api import Api
from gateway.guard import Limits
from gateway.health import Health
from gateway.link import Link
from gateway.routes import platform
from gateway.rpc import Client
from gateway.stream import Streams
from services.chassis import logs
from services.chassis.tokens import Tokens


class Gateway(Flask):
    """The application with what a worker has to start and to stop."""

    def __init__(self, settings: config.Config) -> None:
        super().__init__("gateway", static_folder=None)
        self.link = Link(settings.amqp_uri, settings.heartbeat)
        limits = Limits(settings.calls_waiting, settings.breaker_misses, settings.breaker_rest)
        client = Client(self.link, settings.rpc_timeout, limits)
        self.health = Health(client)
        self.streams = Streams(
            self.link,
            most=settings.streams,
            most_per_member=settings.streams_per_member,
            heartbeat=settings.stream_heartbeat,
        )
        self.notes = audit.Notes(self.link)
        self.extensions |= {"rpc": client, "health": self.health, "streams": self.streams, "notes": self.notes}

    def start(self) -> None:
        """Connect to the bus."""
        self.link.start()
        self.notes.start()

    def retire(self) -> None:
        """Be ready no more, while all that is asked is still answered."""
        self.health.draining = True

    def drain(self) -> None:
        """End what would never end by itself."""
        self.streams.close()

    def leave(self) -> None:
        """Have the bus take what still has to be told, when nothing more is asked."""
        self.notes.settle()


def create(settings: config.Config | None = None) -> Gateway:
    """The gateway's application, from the environment if `settings` are not given."""
    settings = settings or config.load()
    logs.configure("gateway", settings.log_level, settings.log_format)
    app = Gateway(settings)
    hooks.install(app, settings.request_timeout)
    errors.install(app)
    audit.install(app)
    auth.install(app, Tokens(settings.jwks_file))
    idempotency.install(app)
    api = Api(app)
    for noun in routes.NOUNS:
        api.register_blueprint(noun.routes)
    app.register_blueprint(platform.pages)
    app.extensions["jwks"] = settings.jwks_file.read_bytes()
    app.extensions["openapi"] = api.spec.to_dict()
    return app
