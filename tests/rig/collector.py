"""A collector of traces for the tests: takes spans over OTLP/HTTP, as the real ones do."""

import gzip
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Seen(NamedTuple):
    """A span. `parent` is empty for the first of a trace."""

    process: str
    name: str
    trace: str
    id: str
    parent: str
    facts: dict[str, Any]
    failed: bool
    kind: int


class Collector:
    """Listens from `with` to its end."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector._take(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._handler = Handler
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @contextmanager
    def away(self) -> Iterator[None]:
        """The collector does not listen while the block lasts."""
        self.__exit__()
        try:
            yield
        finally:
            self._server = ThreadingHTTPServer(self._server.server_address, self._handler)
            self.__enter__()

    def _take(self, body: bytes) -> None:
        for told in ExportTraceServiceRequest.FromString(body).resource_spans:
            about = {each.key: each.value.string_value for each in told.resource.attributes}
            for span in (span for scope in told.scope_spans for span in scope.spans):
                facts = {each.key: each.value.string_value or each.value.int_value for each in span.attributes}
                ids = (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
                self.seen.append(Seen(about["service.name"], span.name, *ids, facts, span.status.code == 2, span.kind))

    def until(self, condition: Callable[[list[Seen]], Any], seconds: float = 30) -> Any:
        """Wait until a condition on the spans so far is true; return its value."""
        deadline = time.monotonic() + seconds
        while not (found := condition(list(self.seen))):
            assert time.monotonic() < deadline, "\n".join(map(str, self.seen))
            time.sleep(0.1)
        return found
