"""A reader of the live stream, as a browser's EventSource is one."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from tests.rig.processes import Member


class Reader:
    """Collects the events of one connection."""

    def __init__(self, answer: requests.Response) -> None:
        self._answer = answer
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.ended = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        fields: dict[str, str] = {}
        try:
            for line in self._answer.iter_lines(chunk_size=1, decode_unicode=True):
                name, _, value = line.partition(": ")
                if line:
                    fields[name] = value
                elif "data" in fields:
                    self.events.append((fields["id"], json.loads(fields["data"])))
                    fields = {}
            self.ended = True
        except (requests.RequestException, AttributeError):
            return  # the connection was closed under the reader, which ends it

    def wait(self, count: int, seconds: float = 15) -> list[tuple[str, dict[str, Any]]]:
        until = time.monotonic() + seconds
        while len(self.events) < count:
            assert time.monotonic() < until, f"{len(self.events)} of {count} events: {self.events}"
            time.sleep(0.01)
        return self.events

    def end(self) -> str | None:
        """Wait for a proper end; the last event seen."""
        self._thread.join(15)
        assert self.ended, "it goes on, or was cut off"
        return self.events[-1][0] if self.events else None


@contextmanager
def follow(member: Member, last_event_id: str | None = None, **more: str) -> Iterator[Reader]:
    headers = {"Authorization": f"Bearer {member.tokens['access_token']}", **more}
    if last_event_id:
        headers["Last-Event-ID"] = last_event_id
    with requests.get(f"{member.url}/v1/notifications/stream", headers=headers, stream=True, timeout=30) as answer:
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        yield Reader(answer)
