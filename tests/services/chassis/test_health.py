"""A service reports its health correctly while broker and store come and go."""

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.rig.processes import Processes, free_port, until
from tests.rig.proxy import Proxy

WELL = (200, {"ready": True, "missing": []})


class Watcher:
    """Asks a process at its METRICS_PORT."""

    def __init__(self) -> None:
        self.port = free_port()

    def get(self, path: str) -> requests.Response:
        return requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=15)

    def ready(self) -> tuple[int, object]:
        answer = self.get("/readyz")
        return answer.status_code, answer.json()


def lacking(what: str) -> tuple[int, object]:
    return 503, {"ready": False, "missing": [what]}


@pytest.mark.parametrize(("server", "missing"), [("AMQP_URI", ""), ("MONGO_URI", " store")])
def test_a_service_is_ready_while_it_consumes_and_its_store_answers(
    processes: Processes, environment: dict[str, str], server: str, missing: str
) -> None:
    watcher = Watcher()
    with Proxy(environment[server]) as proxy:
        uris = {server: proxy.uri, "METRICS_PORT": str(watcher.port)}
        processes.start("probe", "-m", "tests.services.chassis.probe", **uris)
        processes.until("probe", "serving")
        assert watcher.ready() == WELL
        proxy.refusing = True
        proxy.cut()
        until(lambda: watcher.ready() == lacking(f"feedback.probe{missing}"))
        assert (watcher.get("/livez").status_code, watcher.get("/livez").json()) == (200, {"live": True})
        proxy.refusing = False
        until(lambda: watcher.ready() == WELL)


def test_a_service_that_cannot_start_yet_lives_and_is_not_ready(
    processes: Processes, environment: dict[str, str]
) -> None:
    watcher = Watcher()
    with Proxy(environment["MONGO_URI"]) as proxy:
        proxy.refusing = True
        uris = {"MONGO_URI": proxy.uri, "METRICS_PORT": str(watcher.port)}
        processes.start("probe", "-m", "tests.services.chassis.probe", **uris)
        processes.until("probe", "store not there yet")
        assert watcher.get("/livez").status_code == 200
        assert watcher.ready() == lacking("feedback.probe")
        proxy.refusing = False
        until(lambda: watcher.ready() == WELL)


def test_what_is_counted_is_in_prometheus_format(processes: Processes) -> None:
    watcher = Watcher()
    processes.start("probe", "-m", "tests.services.chassis.probe", METRICS_PORT=str(watcher.port))
    processes.until("probe", "serving")
    names = {family.name for family in text_string_to_metric_families(watcher.get("/metrics").text)}
    assert {"hearth_rpc_seconds", "hearth_message_seconds", "hearth_outbox_sent"} <= names
    assert watcher.get("/").status_code == 404
