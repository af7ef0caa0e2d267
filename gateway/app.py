"""The application: `create()` puts the parts together; one is made in each worker, after the fork."""

from flask import Flask

from gateway import auth, config, errors, hooks, routes
from gateway.api import Api
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
        client = Client(self.link, settings.rpc_timeout)
        self.health = Health(client)
        self.streams = Streams(
            self.link,
            most=settings.streams,
            most_per_member=settings.streams_per_member,
            heartbeat=settings.stream_heartbeat,
        )
        self.extensions |= {"rpc": client, "health": self.health, "streams": self.streams}

    def start(self) -> None:
        """Connect to the bus."""
        self.link.start()

    def drain(self) -> None:
        """Be ready no more, and end what would never end by itself."""
        self.health.draining = True
        self.streams.close()


def create(settings: config.Config | None = None) -> Gateway:
    """The gateway's application, from the environment if `settings` are not given."""
    settings = settings or config.load()
    logs.configure("gateway", settings.log_level, settings.log_format)
    app = Gateway(settings)
    hooks.install(app)
    errors.install(app)
    auth.install(app, Tokens(settings.jwks_file))
    api = Api(app)
    for noun in routes.NOUNS:
        api.register_blueprint(noun.routes)
    app.register_blueprint(platform.pages)
    app.extensions["jwks"] = settings.jwks_file.read_bytes()
    app.extensions["openapi"] = api.spec.to_dict()
    return app
