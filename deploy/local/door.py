"""The address of this machine's gateway, and its readiness."""

import http.client
import json
import os

from deploy.local import CannotRun

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - only recognised, never chosen here


def address() -> tuple[str, int]:
    """Host and port of the gateway, as seen from this machine. Raises CannotRun if PORT is not a port."""
    host, port = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000"
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise CannotRun(f"PORT must be a number from 1 to 65535, not {port!r}.")
    return "127.0.0.1" if host in EVERYWHERE else host, int(port)


def missing(host: str, port: int) -> list[str]:
    """The parts that the gateway says are missing; the gateway itself if it does not answer. Empty if all is ready."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        if answer.status == 200:
            return []
        return [str(each) for each in json.loads(answer.read())["missing"]] or ["gateway"]
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return ["gateway"]
    finally:
        connection.close()
