"""Notes the refusals that tests are sent, and finds those that the OpenAPI document does not list."""

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from gateway.errors import MEDIA_TYPE, STATUS
from gateway.refusals import ANYWHERE, listed
from services.contracts.errors import Refusal

DOCUMENT = Path(__file__).parents[2] / "gateway/openapi.json"
ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
Sent = tuple[str, int, str]  # operation, status, code


class Refusals:
    """The refusals that were sent, as `(operation, status, code)`."""

    def __init__(self) -> None:
        self.sent: set[Sent] = set()

    @functools.cached_property
    def document(self) -> dict[str, Any]:
        """The OpenAPI document, as it is committed."""
        found: dict[str, Any] = json.loads(DOCUMENT.read_text())
        return found

    @functools.cached_property
    def _addresses(self) -> list[tuple[str, re.Pattern[str], str]]:
        return [
            (method.upper(), re.compile(re.sub(r"{\w+}", ID, path)), operation["operationId"])
            for path, item in self.document["paths"].items()
            for method, operation in item.items()
            if method != "parameters"
        ]

    @functools.cached_property
    def listed(self) -> set[Sent]:
        """What the document lists, beyond what any operation may send."""
        operations = (each for path in self.document["paths"].values() for each in path.values())
        return {
            (operation["operationId"], status, code)
            for operation in operations
            if "operationId" in operation
            for status, code, _ in listed(self.document, operation)
        }

    def hear(self, answer: requests.Response) -> None:
        """Note the answer to a request, if it is a refusal of an operation."""
        if answer.headers.get("Content-Type") == MEDIA_TYPE:
            asked, path = answer.request, urlsplit(answer.request.url or "").path
            for method, address, operation in self._addresses:
                if method == asked.method and address.fullmatch(str(path)):
                    self.sent.add((operation, answer.status_code, answer.json()["code"]))

    def raised(self, operation: str | None, refusal: Refusal) -> None:
        """Note a refusal that a capability raised when it was asked in process."""
        if operation:
            self.sent.add((operation, STATUS[type(refusal)], refusal.code))

    def unlisted(self) -> Iterator[str]:
        """The refusals that are in no list, in words."""
        for operation, status, code in sorted(self.sent - self.listed):
            if code not in ANYWHERE.get(status, {}):
                yield f"{operation} sends {status} {code}, which gateway/openapi.json does not list"


REFUSALS = Refusals()


def listen() -> None:
    """Note the refusals in all answers that `requests` brings from now on."""
    send = requests.Session.send

    @functools.wraps(send)
    def noted(session: requests.Session, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        answer = send(session, request, **how)
        REFUSALS.hear(answer)
        return answer

    requests.Session.send = noted  # type: ignore[method-assign]
