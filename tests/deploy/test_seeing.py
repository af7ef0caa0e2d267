"""Dashboards and alerts ask only for metrics that exist."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import amqp
import pytest
import requests
import yaml
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from deploy.local import private
from deploy.seeing import dashboard
from tests.rig.processes import ROOT, Platform, Processes, until
from tests.rig.wire import connection

SEEING = ROOT / "deploy" / "seeing"
RULES = yaml.safe_load((SEEING / "alerts.yaml").read_text())["groups"][0]["rules"]
EXPRESSIONS = [*dashboard.queries(), *(rule["expr"] for rule in RULES)]
OF_PROMETHEUS = {"up"}  # made by Prometheus itself
OF_A_SCRAPE = {"job", "instance", "le"}
METRIC = re.compile(r"\b((?:hearth|process)_\w+|up)\b(?:\{([^}]*)\})?")
Families = dict[str, Metric]


class Watched(Platform):
    """A platform whose services all show what they count."""

    def __init__(self, processes: Processes) -> None:
        super().__init__(processes)
        self.ports = dict(zip(self.SERVICES, private.free_ports(len(self.SERVICES)), strict=True))

    def serve(self, name: str) -> None:
        self.processes.start(name, "-m", f"services.{name}", METRICS_PORT=str(self.ports[name]))

    def scrape(self, name: str) -> Families:
        """The metric families of one process, by name."""
        url = self.url if name == "gateway" else f"http://127.0.0.1:{self.ports[name]}"
        answer = requests.get(f"{url}/metrics", timeout=5)
        assert answer.status_code == 200
        return {each.name: each for each in text_string_to_metric_families(answer.text)}

    def value(self, name: str, sample: str, **labels: str) -> float | None:
        """One sample's value, or None if it does not exist yet."""
        samples = (each for family in self.scrape(name).values() for each in family.samples)
        return next((each.value for each in samples if (each.name, each.labels) == (sample, labels)), None)


@pytest.fixture(scope="module")
def watched(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with Watched.running(environment, tmp_path_factory.mktemp("watched")) as running:
        yield running


def samples_of(family: Metric) -> set[str]:
    """The names of the samples of one metric family."""
    endings = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}.get(family.type, ("",))
    return {family.name + ending for ending in endings}


def test_everything_that_is_asked_for_is_counted(watched: Watched) -> None:
    member = watched.join("Amara")
    member.post("/v1/feedback", {"text": "I need a lamp."})
    watched.administrator.inbox(1)
    until(lambda: watched.value("feedback", "hearth_queue_messages", queue="dead") is not None)
    families = [family for name in (*watched.SERVICES, "gateway") for family in watched.scrape(name).values()]
    labels: dict[str, set[str]] = {}
    for family in families:
        for name in samples_of(family):
            labels.setdefault(name, set()).update(label for each in family.samples for label in each.labels)
    for expression in EXPRESSIONS:
        asked = METRIC.findall(expression)
        assert asked, expression
        for metric, where in asked:
            assert metric in labels or metric in OF_PROMETHEUS, f"{metric} in {expression}"
            named = set(re.findall(r"(\w+)[=!]", where)) | {
                name.strip() for by in re.findall(r"by \(([^)]*)\)", expression) for name in by.split(",")
            }
            if labels.get(metric):  # a metric without events yet has no labels to show
                assert named <= labels[metric] | OF_A_SCRAPE, expression


def test_names_are_as_prometheus_wants_them_and_labels_few(watched: Watched) -> None:
    for name in (*watched.SERVICES, "gateway"):
        for family in watched.scrape(name).values():
            if family.name.startswith("hearth_"):
                assert family.documentation.endswith("."), family.name
                assert family.type != "histogram" or family.name.endswith("_seconds")
                assert family.type != "unknown"
                assert len(family.samples) < 2000, f"{family.name} has {len(family.samples)} samples"


def test_several_workers_of_a_gateway_count_together(watched: Watched) -> None:
    url = f"http://127.0.0.1:{(port := private.free_ports(1)[0])}"
    watched.open_door("pair", port, WEB_CONCURRENCY="2", STOP_NOTICE="0")
    try:
        watched.processes.until("pair", "broker connected")
        for _ in range(40):
            assert requests.get(f"{url}/v1/me", timeout=5).status_code == 401
        counted = []
        for _ in range(20):
            families = text_string_to_metric_families(requests.get(f"{url}/metrics", timeout=5).text)
            samples = [each for family in families for each in family.samples]
            asked = [each for each in samples if each.name == "hearth_http_requests_total"]
            counted.append(sum(each.value for each in asked if each.labels["route"] == "/v1/me"))
        assert counted == [40] * 20
    finally:
        watched.processes.end("pair")


def test_a_message_leaves_its_numbers(watched: Watched, amqp_uri: str) -> None:
    queue = "notifications.fanout.tell_the_administrators"
    member = watched.join("Amara")

    def counted(sample: str, **labels: str) -> float:
        return watched.value("notifications", f"hearth_{sample}", **labels) or 0

    lag = counted("message_lag_seconds_count", queue=queue)
    brought = counted("notifications_delivered_total", channel="inbox")
    told = len(watched.administrator.get("/v1/notifications?limit=100")["items"])
    for anonymous in (False, True):
        member.post("/v1/feedback", {"text": "I need a lamp.", "anonymous": anonymous})
    watched.administrator.inbox(told + 2)
    until(lambda: counted("notifications_delivered_total", channel="inbox") == brought + 2)
    until(lambda: counted("message_seconds_count", queue=queue, outcome="ok") == told + 2)
    assert counted("message_lag_seconds_count", queue=queue) == lag + 1, "a day is no moment"
    assert watched.value("feedback", "hearth_outbox_oldest_seconds", collection="voices") == 0

    opened = connection(amqp_uri)
    opened.channel().basic_publish(amqp.Message(b"garbage", delivery_mode=2), "", queue)
    until(lambda: counted("message_parked_total", queue=queue) == 1)
    until(lambda: (watched.value("events", "hearth_queue_messages", queue="dead") or 0) >= 1, 30)
    opened.channel().queue_purge("dead")
    opened.close()
    assert counted("queue_consumers", queue=queue) == 1


def test_the_rules_say_what_to_do() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert all(rule["annotations"][name].endswith(".") for name in ("summary", "do")), rule["alert"]


def test_the_dashboard_is_the_described_one() -> None:
    made = json.loads((SEEING / "dashboard.json").read_text())
    assert made == dashboard.document()
    assert [each["expr"] for panel in made["panels"] for each in panel.get("targets", [])] == dashboard.queries()
    assert len({panel["id"] for panel in made["panels"]}) == len(made["panels"])


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian: prometheus) is not installed")
def test_promtool_agrees(tmp_path: Path) -> None:
    asked = [
        {"record": f"asked:{place}", "expr": query.replace("$__rate_interval", "1m")}
        for place, query in enumerate(dashboard.queries())
    ]
    (tmp_path / "dashboard.yaml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": asked}]}))
    for command in (["config", SEEING / "prometheus.yml"], ["rules", tmp_path / "dashboard.yaml"]):
        check = ["promtool", "check", *map(str, command)]
        done = subprocess.run(check, check=False, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stdout + done.stderr
