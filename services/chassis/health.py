"""The health of a process, told over HTTP at METRICS_PORT: `/metrics`, `/livez` and `/readyz`."""

from collections.abc import Callable, Iterable
from typing import Any

import eventlet
import orjson
from eventlet import wsgi
from nameko.containers import ServiceContainer
from prometheus_client import make_wsgi_app

from services.chassis.bus import Intake

Start = Callable[[str, list[tuple[str, str]]], Any]
METRICS = make_wsgi_app()


def serve(port: int, containers: Iterable[ServiceContainer]) -> None:
    """Answer from now on, also while the capabilities still start. With port 0, never answer."""
    if not port:
        return
    containers = list(containers)

    def answer(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        match environ["PATH_INFO"]:
            case "/metrics":
                found: Iterable[bytes] = METRICS(environ, start)
                return found
            case "/livez":
                return _say(start, "200 OK", {"live": True})  # a process whose loop is held up can't answer
            case "/readyz":
                missing = [name for each in containers for name in _missing(each)]
                status = "503 Service Unavailable" if missing else "200 OK"
                return _say(start, status, {"ready": not missing, "missing": missing})
        return _say(start, "404 Not Found", {"paths": ["/livez", "/metrics", "/readyz"]})

    eventlet.spawn(wsgi.server, eventlet.listen(("", port)), answer, log_output=False)


def _missing(container: ServiceContainer) -> list[str]:
    """The causes that keep a capability from working, in the words of the gateway's `/readyz`."""
    intakes = [each for each in container.extensions if isinstance(each, Intake)]
    if not intakes or not all(each.consuming for each in intakes):
        return [container.service_name]
    if not all(each.probed() for each in intakes):
        return [f"{container.service_name} store"]
    return [container.service_name] if any(each.braked for each in intakes) else []


def _say(start: Start, status: str, body: dict[str, Any]) -> Iterable[bytes]:
    start(status, [("Content-Type", "application/json")])
    return [orjson.dumps(body)]
