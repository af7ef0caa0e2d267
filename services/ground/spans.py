"""Spans, made and sent by OpenTelemetry. Only this file uses it, and it is imported only when tracing is on.

Spans are sent in the background. A collector that is too slow misses some; no work waits for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_NAMESPACE, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from services.ground.work import TRACEPARENT, Facts, Work

KINDS = {
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}
PATIENCE = 2.0  # seconds that the collector has when a process stops
BUS = {"messaging.system": "rabbitmq"}

_w3c = TraceContextTextMapPropagator()


class Spans:
    """The spans of one process."""

    def __init__(self, process: str) -> None:
        resource = Resource.create({SERVICE_NAME: process, SERVICE_NAMESPACE: "hearth"})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)  # it would wait half a minute
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("hearth")

    @contextmanager
    def joining(self, work: Work) -> Iterator[None]:
        kind = KINDS[work.kind]
        facts = {**(BUS if work.kind == "consumer" else {}), **work.facts}
        with self._tracer.start_as_current_span(
            work.name, _named(work.parent), kind, facts, record_exception=False, set_status_on_exception=False
        ):
            yield

    @contextmanager
    def asking(self, name: str, facts: Facts) -> Iterator[None]:
        with self._tracer.start_as_current_span(
            name, kind=SpanKind.CLIENT, attributes=facts, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except Exception as error:
                span.set_status(StatusCode.ERROR, type(error).__name__)  # without its words, which may name somebody
                raise

    def traceparent(self) -> str | None:
        carrier: dict[str, str] = {}
        _w3c.inject(carrier)
        return carrier.get(TRACEPARENT)

    def tell(self, facts: Facts, name: str | None, failed: str | None) -> None:
        span = trace.get_current_span()
        if name:
            span.update_name(name)
        span.set_attributes(facts)
        if failed:
            span.set_status(StatusCode.ERROR, failed)

    def sent(self, key: str, parent: str, began: int) -> None:
        facts = BUS | {"messaging.operation.name": "send", "messaging.destination.name": key}
        self._tracer.start_span(f"send {key}", _named(parent), SpanKind.PRODUCER, facts, start_time=began).end()

    def leave(self) -> None:
        last = Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        last.join(PATIENCE)

    def unlink(self) -> None:
        context.attach(Context())  # the code that began the present span restores the context before it


def _named(parent: str | None) -> Context:
    """The context that a `traceparent` names; an empty one, which begins a new trace, if it is missing or malformed."""
    return _w3c.extract({TRACEPARENT: parent} if parent else {}, Context())
