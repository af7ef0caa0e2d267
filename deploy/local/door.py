"""The address of this machine's gateway, and its readiness."""

import http.client
import os

from deploy.local import CannotRun

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - only recognised, never chosen here


def address() -> tuple[str, int]:
    """Host and port of the gateway, as seen from this machine. Raises CannotRun if PORT is not a port."""
    host, port = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000"
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise CannotRun(f"PORT must be a number from 1 to 65535, not {port!r}.")
    return "127.0.0.1" if host in EVERYWHERE else host, int(port)


def ready(host: str, port: int) -> bool:
    """True if the gateway answers that everything behind it is ready."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
