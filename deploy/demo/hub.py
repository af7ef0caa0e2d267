"""The platform as its members' programs reach it: HTTP and server-sent events."""

import json
import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

import requests

from deploy.demo import PATIENCE, StoryBroken

TOO_MANY, MINUTE = 429, 60


class Refused(StoryBroken):
    """The platform refused a request, with a problem document."""

    def __init__(self, request: str, answer: requests.Response) -> None:
        try:
            problem = answer.json()
        except ValueError:
            problem = {}
        self.status, self.code = answer.status_code, str(problem.get("code"))
        super().__init__(f"{request} was refused: {self.status} {problem.get('detail', answer.reason)}")


class Visitor:
    """Somebody at the gateway, with or without an access token."""

    def __init__(self, url: str, tokens: dict[str, Any] | None = None) -> None:
        self.url = url
        self.id = str(tokens["member_id"]) if tokens else None
        self._session = requests.Session()
        self._session.trust_env = False  # a configured proxy must not be used for this machine
        if tokens:
            self._session.headers["Authorization"] = f"Bearer {tokens['access_token']}"

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """The answer; at a rate limit, that of the next minute. Raises Refused, or StoryBroken without an answer."""
        try:
            answer = self._session.request(method, self.url + path, timeout=PATIENCE, **options)
        except requests.RequestException as error:
            raise StoryBroken(f"The platform does not answer at {self.url}: {error}") from error
        if answer.status_code == TOO_MANY and (wait := int(answer.headers["Retry-After"])) <= MINUTE:
            time.sleep(wait)
            return self.request(method, path, **options)
        if not answer.ok:
            raise Refused(f"{method} {path}", answer)
        return answer

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of a resource."""
        return self.request("GET", path, params=query).json()

    def send(self, method: str, path: str, **fields: Any) -> Any:
        """The JSON of the answer to these fields, or to a request without a body if there are no fields."""
        return self.request(method, path, **({"json": fields} if fields else {})).json()

    def each(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """All items of a list, page by page."""
        page = self.get(path, limit=100, **query)
        yield from page["items"]
        while page["next"]:
            page = self.get(path, limit=100, cursor=page["next"], **query)
            yield from page["items"]

    def sign_in(self, email: str, password: str) -> "Visitor":
        """A visitor who is signed in as the member with this address and password."""
        return Visitor(self.url, self.send("POST", "/v1/sessions", email=email, password=password))

    def inbox(self, link: str) -> list[dict[str, Any]]:
        """The lines with this link in the member's inbox, newest first."""
        return [line for line in self.get("/v1/notifications", limit=100)["items"] if line["link"] == link]


class Stream:
    """A member's open stream, read in a thread of its own until the process ends."""

    def __init__(self, member: Visitor) -> None:
        self._shown: queue.SimpleQueue[tuple[float, dict[str, Any]]] = queue.SimpleQueue()
        self._answer = member.request("GET", "/v1/notifications/stream", stream=True)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._answer.iter_lines(chunk_size=1):
            if line.startswith(b"data: "):
                self._shown.put((time.perf_counter(), json.loads(line.removeprefix(b"data: "))))

    def shows(self, link: str) -> tuple[float, dict[str, Any]]:
        """The time (`time.perf_counter()`) and line shown with this link. Raises StoryBroken if there is none."""
        until = time.monotonic() + PATIENCE
        while (left := until - time.monotonic()) > 0:
            try:
                at, line = self._shown.get(timeout=left)
            except queue.Empty:
                break
            if line["link"] == link:
                return at, line
        raise StoryBroken(f"An open stream did not show {link} within {PATIENCE:.0f} s.")
