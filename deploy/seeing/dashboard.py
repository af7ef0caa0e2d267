"""The dashboard: rows of panels, each a question and the queries that answer it. `dashboard.json` is made from it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

WIDTH = 24  # columns of Grafana's grid
HEIGHT = 7
SOURCE = {"type": "prometheus", "uid": "${source}"}


@dataclass(frozen=True)
class Panel:
    """A graph: its title, the unit of its axis (one of Grafana's), and queries by their legend."""

    title: str
    unit: str
    queries: dict[str, str]
    says: str = ""


@dataclass(frozen=True)
class Row:
    """Panels side by side."""

    title: str
    panels: list[Panel] = field(default_factory=list)


def rate(metric: str, by: str, where: str = "") -> str:
    """The rate of a metric per second."""
    chosen = f"{metric}{{{where}}}" if where else metric
    return f"sum by ({by}) (rate({chosen}[$__rate_interval]))"


def within(histogram: str, by: str, share: float = 0.95, where: str = "") -> str:
    """The seconds within which this share of cases ends."""
    return f"histogram_quantile({share}, {rate(f'{histogram}_bucket', f'le, {by}', where)})"


ROWS = [
    Row(
        "Requests",
        [
            Panel("Requests", "reqps", {"{{route}}": rate("hearth_http_requests_total", "route")}),
            Panel(
                "Refused and failed",
                "reqps",
                {"{{status}} {{route}}": rate("hearth_http_requests_total", "status, route", 'status=~"[45].."')},
            ),
            Panel("Time for 95 %", "s", {"{{route}}": within("hearth_http_seconds", "route")}),
        ],
    ),
    Row(
        "Calls",
        [
            Panel("Calls", "reqps", {"{{method}}": rate("hearth_rpc_seconds_count", "method")}),
            Panel(
                "Refused and failed",
                "reqps",
                {
                    "{{method}} {{outcome}}": rate("hearth_rpc_seconds_count", "method, outcome", 'outcome!="ok"'),
                    "gateway: {{capability}} {{outcome}}": rate(
                        "hearth_gateway_rpc_seconds_count", "capability, outcome", 'outcome!="ok"'
                    ),
                },
            ),
            Panel(
                "Time for 95 %",
                "s",
                {
                    "{{method}}": within("hearth_rpc_seconds", "method"),
                    "gateway: {{capability}}": within("hearth_gateway_rpc_seconds", "capability"),
                },
            ),
            Panel(
                "Left alone because they hang",
                "short",
                {"{{capability}}": "max by (capability) (hearth_gateway_breaker_open)"},
            ),
        ],
    ),
    Row(
        "Messages",
        [
            Panel("Handled", "ops", {"{{queue}}": rate("hearth_message_seconds_count", "queue", 'outcome="ok"')}),
            Panel("Waiting", "short", {"{{queue}}": "max by (queue) (hearth_queue_messages)"}),
            Panel(
                "Tried again, given up",
                "ops",
                {
                    "again: {{queue}}": rate("hearth_message_retries_total", "queue"),
                    "given up: {{queue}}": rate("hearth_message_parked_total", "queue"),
                },
            ),
            Panel("Dead letters", "short", {"dead": 'max(hearth_queue_messages{queue="dead"})'}),
        ],
    ),
    Row(
        "How late",
        [
            Panel(
                "Outbox: oldest unsent",
                "s",
                {"{{collection}}": "max by (collection) (hearth_outbox_oldest_seconds)"},
                "How long the oldest message has been seen to wait for the broker.",
            ),
            Panel(
                "Planned work: oldest due",
                "s",
                {"{{work}}": "max by (work) (hearth_due_oldest_seconds)"},
                "How long the oldest work that was planned for a moment has been due.",
            ),
            Panel(
                "Fan-out: from the fact to the last inbox, 95 %",
                "s",
                {"{{queue}}": within("hearth_message_lag_seconds", "queue", where='queue=~"notifications.fanout.*"')},
            ),
            Panel(
                "Copies: from the fact to the copy, 95 %",
                "s",
                {"{{queue}}": within("hearth_message_lag_seconds", "queue", where='queue=~".*[.]people[.].*"')},
                "After a replay it shows how old the facts are that were told again.",
            ),
            Panel(
                "Waiting for store or broker",
                "short",
                {"{{capability}}": "max by (capability) (hearth_intake_braked)"},
            ),
        ],
    ),
    Row(
        "What reaches people",
        [
            Panel("Delivered", "ops", {"{{channel}}": rate("hearth_notifications_delivered_total", "channel")}),
            Panel("Live streams", "short", {"open": "sum(hearth_gateway_streams)"}),
            Panel("Limited", "ops", {"{{kind}}": rate("hearth_gateway_limited_total", "kind")}),
            Panel("Passwords checked", "ops", {"{{job}}": rate("hearth_passwords_checked_total", "job")}),
        ],
    ),
    Row(
        "Processes",
        [
            Panel("Memory", "bytes", {"{{job}} {{instance}}": 'process_resident_memory_bytes{job=~"hearth-.*"}'}),
            Panel(
                "Processor time",
                "percentunit",
                {"{{job}} {{instance}}": 'rate(process_cpu_seconds_total{job=~"hearth-.*"}[$__rate_interval])'},
            ),
            Panel("Up", "short", {"{{job}}": 'sum by (job) (up{job=~"hearth-.*"})'}),
        ],
    ),
]


def queries() -> list[str]:
    """All queries of the dashboard."""
    return [query for row in ROWS for panel in row.panels for query in panel.queries.values()]


def document() -> dict[str, Any]:
    """The dashboard in the form that Grafana imports. Grafana asks for the data source then."""
    return {
        "uid": "hearth",
        "title": "Hearth",
        "tags": ["hearth"],
        "timezone": "browser",
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [{"name": "source", "label": "Source", "type": "datasource", "query": "prometheus"}]},
        "panels": list(_panels()),
    }


def _panels() -> Iterator[dict[str, Any]]:
    number, y = 1, 0
    for row in ROWS:
        yield {"id": number, "type": "row", "title": row.title, "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1}}
        number, y = number + 1, y + 1
        width = WIDTH // len(row.panels)
        for place, panel in enumerate(row.panels):
            grid = {"x": place * width, "y": y, "w": width, "h": HEIGHT}
            yield {"id": number, **_graph(panel), "gridPos": grid}
            number += 1
        y += HEIGHT


def _graph(panel: Panel) -> dict[str, Any]:
    return {
        "type": "timeseries",
        "title": panel.title,
        "description": panel.says,
        "datasource": SOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(ord("A") + place), "datasource": SOURCE, "expr": query, "legendFormat": legend}
            for place, (legend, query) in enumerate(panel.queries.items())
        ],
    }
