"""The limit of an HTTP answer: Flask and nothing else, run with the gateway's own gunicorn settings."""

from typing import Any

from flask import Flask


class Bare(Flask):
    """What the gateway's settings of gunicorn expect of an application; there is nothing to start or to stop."""

    def start(self) -> None:
        pass

    def retire(self) -> None:
        pass

    def drain(self) -> None:
        pass


def create(profile: dict[str, Any]) -> Bare:
    """An application that answers `/v1/me` with this profile, without asking anybody."""
    app = Bare("bare")
    app.add_url_rule("/v1/me", view_func=lambda: profile)
    return app
