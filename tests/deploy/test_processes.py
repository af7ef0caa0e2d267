"""The processes that the services declare are those that are started, packed, deployed and scaled."""

from itertools import chain

import pytest
import requests

from deploy.capabilities import capabilities
from deploy.processes import Declared, flaws, processes
from services.chassis.messaging import hearers
from tests.rig.processes import Platform, free_port, until

HANDLERS = list(chain.from_iterable(hearers(capabilities()).values()))


@pytest.fixture(scope="module")
def declared() -> list[Declared]:
    return processes()


def test_every_capability_is_served_by_one_process(declared: list[Declared]) -> None:
    served = [name for each in declared for name in each.capabilities]
    assert sorted(served) == sorted(each.name for each in capabilities())  # type: ignore[attr-defined]


def test_what_is_declared_is_what_runs_everywhere(declared: list[Declared]) -> None:
    assert flaws(declared, HANDLERS) == []


def test_a_process_of_its_own_is_missed_wherever_it_has_to_be(declared: list[Declared]) -> None:
    (whole,) = [each for each in declared if each.service == "notifications"]
    others = [name for name in whole.capabilities if name != "notifications.fanout"]
    apart = Declared("notifications", "telling", ["notifications.fanout"], "telling", False)
    rest = whole._replace(capabilities=others, whole=False)
    found = "\n".join(flaws([*(each for each in declared if each is not whole), rest, apart], HANDLERS))
    for flaw in (
        "Procfile: telling is missing",
        "Procfile: notifications has python -m services.notifications, not python -m services.notifications ",
        "docker-compose.yml: telling is missing",
        "docker-compose.yml: the gateway does not wait for telling",
        "pyproject.toml has no extra telling",
        "there is no lock file requirements/telling.txt",
        "small: Deployments: telling is missing",
        "production: Deployments: telling is missing",
        "ScaledObjects: telling is missing",
        "ScaledObjects: notifications has ",
    ):
        assert flaw in found
    assert "notifications.fanout is served by two processes" in flaws([*declared, apart], HANDLERS)


def test_parts_of_a_service_run_as_processes_of_their_own(own_platform: Platform) -> None:
    started = own_platform.processes
    started.end("notifications")
    ports = {"fanout": free_port(), "inbox": free_port()}
    started.start("telling", "-m", "services.notifications", "fanout", METRICS_PORT=str(ports["fanout"]))
    others = ("people", "house", "followers", "inbox")
    started.start("showing", "-m", "services.notifications", *others, METRICS_PORT=str(ports["inbox"]))
    for port in ports.values():
        until(lambda port=port: _ready(port), 30)  # type: ignore[misc]
    own_platform.ready()
    amara = own_platform.join("Amara")
    voice = amara.post("/v1/feedback", {"text": "I need a quiet room for calls."})
    assert any(voice["id"] in line["link"] for line in own_platform.administrator.inbox(1))
    started.kill("telling")
    assert _ready(ports["inbox"]), "each is healthy by itself"


def _ready(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).ok
    except requests.ConnectionError:
        return False
