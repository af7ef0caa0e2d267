"""Metrics for Prometheus: the counts and times of a service process's own machinery."""

from functools import cache

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # no reader needs the time of the first count

LATE = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)  # seconds

CALLS = Histogram("hearth_rpc_seconds", "Time that calls took in the service.", ["method", "outcome"])
HEARD = Histogram("hearth_message_seconds", "Time that handlers took for a message.", ["queue", "outcome"])
call, heard = cache(CALLS.labels), cache(HEARD.labels)
LAG = Histogram(
    "hearth_message_lag_seconds",
    "From the moment that a message tells of until its effect. Messages that tell only the day are left out.",
    ["queue"],
    buckets=LATE,
)
RETRIED = Counter("hearth_message_retries_total", "Messages put off for another try.", ["queue"])
PARKED = Counter("hearth_message_parked_total", "Messages given up and put into the queue dead.", ["queue"])
BRAKED = Gauge("hearth_intake_braked", "1 while messages wait because the store or broker is away.", ["capability"])
SENT = Counter("hearth_outbox_sent_total", "Messages that the broker confirmed.", ["collection"])
ANNOUNCED = Counter("hearth_announced_total", "Confirmed messages that rode in no aggregate.", ["capability"])
UNSENT = Gauge("hearth_outbox_unsent", "Aggregates seen with unsent messages at the last sweep.", ["collection"])
OLDEST = Gauge("hearth_outbox_oldest_seconds", "Time since the oldest unsent message was seen first.", ["collection"])
WAITING = Gauge("hearth_queue_messages", "Messages in a queue that no consumer holds.", ["queue"])
CONSUMERS = Gauge("hearth_queue_consumers", "Consumers of a queue in all processes.", ["queue"])
DUE = Counter("hearth_due_total", "Tries of work that was planned for a moment.", ["work", "outcome"])
OVERDUE = Gauge("hearth_due_oldest_seconds", "Seconds since the oldest planned work fell due.", ["work"])
