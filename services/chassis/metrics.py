"""Metrics for Prometheus: what a service process counts about its own moving."""

from prometheus_client import Counter, Gauge, Histogram

CALLS = Histogram("hearth_rpc_seconds", "Time that calls took in the service.", ["method", "outcome"])
HEARD = Histogram("hearth_message_seconds", "Time that handlers took for a message.", ["queue", "outcome"])
SENT = Counter("hearth_outbox_sent_total", "Messages that the broker confirmed.", ["collection"])
UNSENT = Gauge("hearth_outbox_unsent", "Aggregates seen with unsent messages at the last sweep.", ["collection"])
