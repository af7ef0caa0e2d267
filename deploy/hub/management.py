"""RabbitMQ's management API, for things that AMQP does not offer, such as users, policies and alarms."""

from typing import Any
from urllib.parse import quote, unquote, urlsplit

import requests

from deploy.hub import Trouble, bus, settings
from deploy.local.given import MANAGEMENT

PATIENCE = 5.0  # seconds for each answer
REFUSALS = {
    401: "See whether user and password are right.",
    403: "See whether the user has the tag that this needs (monitoring to look, administrator to change).",
}


class Management:
    """The API at a URL. The user is the URL's, or else the broker's. Paths are given as unquoted parts."""

    def __init__(self, url: str) -> None:
        given, ours = urlsplit(url), urlsplit(settings.need("AMQP_URI"))
        user = given if given.username else ours
        self._place = given._replace(netloc=given.netloc.rpartition("@")[2]).geturl().rstrip("/")
        self._identity = unquote(user.username or "guest"), unquote(user.password or "guest")
        self.vhost = bus.vhost(settings.need("AMQP_URI"))

    def get(self, *path: str) -> Any:
        """The object at a path, or None if there is none."""
        answer = self._ask("GET", path)
        return None if answer.status_code == 404 else answer.json()

    def put(self, *path: str, **value: Any) -> None:
        """Make or change the object at a path."""
        self._ask("PUT", path, value)

    def delete(self, *path: str) -> bool:
        """Delete the object at a path. False if there was none."""
        return self._ask("DELETE", path).status_code != 404

    def alarmed(self) -> bool:
        """True while an alarm for memory or disk is on."""
        return self._ask("GET", ("health", "checks", "alarms"), fine=(503,)).status_code == 503

    def _ask(
        self, method: str, path: tuple[str, ...], value: Any = None, fine: tuple[int, ...] = (404,)
    ) -> requests.Response:
        url = f"{self._place}/api/{'/'.join(quote(part, safe='') for part in path)}"
        try:
            answer = requests.request(method, url, json=value, auth=self._identity, timeout=PATIENCE)
        except requests.RequestException as error:
            raise Trouble(
                f"no answer at {self._place} ({type(error).__name__}).", "See whether that is its address."
            ) from None
        if not answer.ok and answer.status_code not in (fine if method != "PUT" else ()):
            says = REFUSALS.get(answer.status_code, "See whether RabbitMQ's management API is there.")
            raise Trouble(f"{self._place} answers {answer.status_code}.", says)
        return answer


def harmless(url: str | None) -> str | None:
    """The URL from a command line, which everybody on the machine can read. Raises Trouble if it holds a password."""
    if url and urlsplit(url).password:
        raise Trouble(
            "A password in a command line can be read by everybody on this machine.",
            f"Name the address with its password in {MANAGEMENT}, or in a file that {MANAGEMENT}_FILE names.",
        )
    return url


def management() -> Management:
    """The API at AMQP_MANAGEMENT_URI. Raises Trouble if that is not set."""
    return Management(settings.need(MANAGEMENT))
