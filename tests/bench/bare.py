"""The limit of an HTTP answer: Flask and nothing else, run with the gateway's own gunicorn settings."""

from flask import Flask


class Bare(Flask):
    """An application with the methods that the gateway's gunicorn settings call. It has nothing to start or stop."""

    def start(self) -> None:
        pass

    def retire(self) -> None:
        pass

    def drain(self) -> None:
        pass

    def leave(self) -> None:
        pass


def create() -> Bare:
    """An application that answers `/v1/echo/<id>` as the gateway does, without asking anybody."""
    app = Bare("bare")
    app.config |= {"COUNTS_CONNECTIONS": False, "ARRIVES_WITHIN": 10}
    app.add_url_rule("/v1/echo/<text>", view_func=lambda text: {"text": text})
    return app
