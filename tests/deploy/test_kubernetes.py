"""The manifests for a cluster agree with the schemas, the settings and the running platform."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import yaml

from deploy.capabilities import capabilities
from deploy.kubernetes.rendered import HERE, OVERLAYS, Object, flaws, render
from deploy.local.platform import ROOT
from services.chassis.answers import Answers
from services.chassis.messaging import hearers
from services.chassis.rows import Rows
from tests.deploy.cluster import NAME, Pod, may_speak, pods, workloads
from tests.rig.processes import Platform, free_port
from tests.rig.wire import connection

SERVICES = {"members", "events", "feedback", "notifications"}
OURS = SERVICES | {"gateway"}
RENDERED = {overlay: render(overlay) for overlay in OVERLAYS}
EVERY = pytest.mark.parametrize("objects", RENDERED.values(), ids=RENDERED)


def of_kind(objects: list[Object], kind: str) -> dict[str, Object]:
    return {each["metadata"]["name"]: each for each in objects if each["kind"] == kind}


def container(template: Object) -> Object:
    (only,) = template["spec"]["containers"]
    return only


def environment_of(template: Object) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container(template)["env"]}


def secret_files(template: Object) -> set[str]:
    """The paths under which a pod finds secrets."""
    places = {each["name"]: each["mountPath"] for each in container(template)["volumeMounts"]}
    found = set()
    for volume in template["spec"]["volumes"]:
        projected = [source.get("secret", {}) for source in volume.get("projected", {}).get("sources", [])]
        for secret in [volume.get("secret", {}), *projected]:
            found |= {f"{places[volume['name']]}/{item['path']}" for item in secret.get("items", [])}
    return found


def constants(*files: str) -> set[str]:
    """The texts in sources that look like the name of a variable."""
    trees = [ast.parse((ROOT / file).read_text()) for file in files]
    texts = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return {text for text in texts if isinstance(text, str) and re.fullmatch(r"[A-Z][A-Z_]+", text)}


@EVERY
def test_every_object_is_what_its_kind_allows(objects: list[Object]) -> None:
    assert [flaw for each in objects for flaw in flaws(each)] == []


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("Deployment", ("spec", "replica"), 2),
        ("Deployment", ("spec", "template", "spec", "containers", 0, "livenessProbe", "httpGet", "prot"), "http"),
        ("NetworkPolicy", ("spec", "podSelector"), "all"),
        ("ScaledObject", ("spec", "maxReplicas"), 3),
        ("ScaledObject", ("spec", "triggers", 0, "metadata", "value"), 80),
        ("RabbitmqCluster", ("spec", "replicas"), 2),
        ("MongoDBCommunity", ("spec", "users", 0, "password"), "x"),
        ("PodMonitor", ("spec", "selector", "app"), "x"),
        ("PrometheusRule", ("spec", "groups", 0, "rules", 0, "expression"), "x"),
    ],
)
def test_a_flaw_is_found(kind: str, path: tuple[Any, ...], value: Any) -> None:
    found = next(each for each in render("production") if each["kind"] == kind)
    within = found
    for step in path[:-1]:
        within = within[step]
    within[path[-1]] = value
    assert flaws(found)


@EVERY
def test_pods_have_few_rights_and_limits(objects: list[Object]) -> None:
    for name, template in workloads(objects).items():
        spec, only = template["spec"], container(template)
        assert spec["automountServiceAccountToken"] is spec["enableServiceLinks"] is False, name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["runAsUser"] > 0, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert only["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name
        assert {"cpu", "memory"} <= set(only["resources"]["requests"]), name
        assert "memory" in only["resources"]["limits"], name
        assert {"livenessProbe", "readinessProbe"} <= set(only), name


@EVERY
def test_what_processes_are_told_are_settings_that_exist(objects: list[Object]) -> None:
    service = constants("services/ground/settings.py")
    known = {name: service | constants(f"services/{name}/__main__.py") for name in SERVICES}
    known["gateway"] = constants("gateway/config.py")
    settings = next(each for each in objects if each["metadata"]["name"].startswith("settings-"))["data"]
    templates = workloads(objects)
    for name in OURS:
        may = known[name] | {f"{secret}_FILE" for secret in ("AMQP_URI", "MONGO_URI") if secret in known[name]}
        assert set(environment_of(templates[name])) <= may, name
        assert set(settings) <= known[name], name
    told = {name for each in OURS for name in environment_of(templates[each])}
    assert {"AMQP_URI_FILE", "MONGO_URI_FILE", "TOKEN_JWKS_FILE", "TOKEN_PRIVATE_KEY_FILE"} <= told


@EVERY
def test_each_secret_is_where_the_process_looks_and_nowhere_else(objects: list[Object]) -> None:
    for name, template in workloads(objects).items():
        named = (
            {value for key, value in environment_of(template).items() if key.endswith("_FILE")}
            if name in OURS
            else None
        )
        if named is not None:
            assert named == secret_files(template), name
    can_sign = [name for name in OURS if "/run/secrets/token_private_key.pem" in secret_files(workloads(objects)[name])]
    assert can_sign == ["members"]


@EVERY
def test_no_secret_is_told(objects: list[Object]) -> None:
    assert not of_kind(objects, "Secret")
    for path in (path for path in HERE.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")):
        assert not re.search(r"secretGenerator|stringData|://[^/\s:]+:[\w$]+@", path.read_text()), path


@EVERY
def test_who_is_told_to_stop_has_the_time_it_takes(objects: list[Object]) -> None:
    (grace,) = re.findall(r"^GRACE = (\d+)", (ROOT / "services/chassis/runner.py").read_text(), re.MULTILINE)
    (patience,) = re.findall(
        r"graceful_timeout = round\((\d+) \+ _settings.stop_notice\)", (ROOT / "gateway/gunicorn.conf.py").read_text()
    )
    for name, template in workloads(objects).items():
        given = template["spec"]["terminationGracePeriodSeconds"]
        if name in SERVICES:
            assert given >= int(grace) + 5, name
        elif name == "gateway":
            assert given >= int(patience) + int(environment_of(template)["STOP_NOTICE"]) + 5


@EVERY
def test_nobody_speaks_to_whom_they_need_not(objects: list[Object]) -> None:
    there = pods(objects) | {"ingress": Pod({}, "ingress-nginx"), "stranger": Pod({"app": "x"}, "default")}
    doors = {"rabbitmq": 5672, "mongo": 27017, "gateway": 8000} | dict.fromkeys(SERVICES, 9100)
    met = {
        (source, target)
        for source in there
        for target, port in doors.items()
        if source != target and may_speak(objects, there[source], there[target], port)
    }
    to_broker, to_store = {(each, "rabbitmq") for each in OURS}, {(each, "mongo") for each in SERVICES}
    assert met == to_broker | to_store | {("ingress", "gateway")}


def test_the_broker_loads_a_file_and_not_a_folder() -> None:
    """Measured: of a folder in which a volume has its hidden folders a node loads nothing, and says nothing."""
    small = workloads(RENDERED["small"])["rabbitmq"]["spec"]
    (cluster,) = (each["spec"] for each in of_kind(RENDERED["production"], "RabbitmqCluster").values())
    (written,) = (
        each["data"]["rabbitmq.conf"] for each in RENDERED["small"] if "rabbitmq.conf" in each.get("data", {})
    )
    pods_and_settings = (
        (small, written),
        (cluster["override"]["statefulSet"]["spec"]["template"]["spec"], cluster["rabbitmq"]["additionalConfig"]),
    )
    for spec, lines in pods_and_settings:
        (place,) = (each for each in spec["containers"][0]["volumeMounts"] if each["name"] == "definitions")
        assert f"load_definitions = {place['mountPath']}/definitions.json\n" in lines


@EVERY
def test_images_are_those_of_this_version(objects: list[Object]) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    templates = workloads(objects)
    assert {name: container(templates[name])["image"] for name in OURS} == {
        name: f"hearth/{name}:{version}" for name in OURS
    }


def test_what_there_are_several_of_is_taken_away_one_at_a_time() -> None:
    for name, budget in of_kind(RENDERED["production"], "PodDisruptionBudget").items():
        assert budget["spec"]["selector"]["matchLabels"] == {"app.kubernetes.io/name": name}
        assert budget["spec"]["maxUnavailable"] == 1
    assert set(of_kind(RENDERED["production"], "PodDisruptionBudget")) == OURS | {"rabbitmq", "mongo"}


def test_each_service_has_its_own_database_and_account() -> None:
    (store,) = of_kind(RENDERED["production"], "MongoDBCommunity").values()
    (prefix,) = re.findall(r'"MONGO_DATABASE_PREFIX", "(\w+)"', (ROOT / "services/ground/settings.py").read_text())
    for user in store["spec"]["users"]:
        assert user["db"] == prefix + user["name"]
        assert user["roles"] == [{"name": "readWrite", "db": user["db"]}]
        sources = workloads(RENDERED["production"])[user["name"]]["spec"]["volumes"][0]["projected"]["sources"]
        assert user["connectionStringSecretName"] in {each["secret"]["name"] for each in sources}
    assert {user["name"] for user in store["spec"]["users"]} == SERVICES


def test_every_service_is_scaled_by_its_queues_which_exist(platform: Platform) -> None:
    scaled = of_kind(RENDERED["production"], "ScaledObject")
    assert set(scaled) == OURS
    named: dict[str, set[str]] = {}
    for name, each in scaled.items():
        assert each["spec"]["scaleTargetRef"]["name"] == name
        metadata = [trigger["metadata"] for trigger in each["spec"]["triggers"] if trigger["type"] == "rabbitmq"]
        named[name] = {each["queueName"] for each in metadata}
        assert all(queue.split(".")[0] == name for queue in named[name])
    heard = {queue for queues in hearers(capabilities()).values() for queue in queues}
    assert set().union(*named.values()) == heard
    with connection(platform.processes.environment["AMQP_URI"]) as broker:
        channel = broker.channel()
        for queue in heard:
            assert channel.queue_declare(queue, passive=True).consumer_count > 0, queue


def test_what_is_scraped_is_called_what_the_alerts_ask_for() -> None:
    said = yaml.safe_load((ROOT / "deploy/seeing/prometheus.yml").read_text())["scrape_configs"]
    monitor = of_kind(RENDERED["production"], "PodMonitor")["platform"]
    for endpoint in monitor["spec"]["podMetricsEndpoints"]:
        (relabeling,) = endpoint["relabelings"]
        assert relabeling["sourceLabels"] == [f"__meta_kubernetes_pod_label_{re.sub(r'[./]', '_', NAME)}"]
        names = {pod.labels[NAME] for name, pod in pods(RENDERED["production"]).items() if name in OURS}
        assert {relabeling["replacement"].replace("$1", name) for name in names} == {each["job_name"] for each in said}


def test_probes_are_answered(platform: Platform) -> None:
    watched = {"gateway": platform.port, "feedback": free_port()}
    platform.processes.start("second", "-m", "services.feedback", METRICS_PORT=str(watched["feedback"]))
    platform.processes.until("second", "serving")
    for objects in RENDERED.values():
        for name, port in watched.items():
            only = container(workloads(objects)[name])
            paths = [only[probe]["httpGet"]["path"] for probe in ("livenessProbe", "readinessProbe")]
            answers = [requests.get(f"http://127.0.0.1:{port}{path}", timeout=5) for path in paths]
            assert [answer.status_code for answer in answers] == [200, 200], name
    platform.processes.end("second")


def kinds_of_rows(kind: type[Rows] = Rows) -> Iterator[type[Rows]]:
    for each in kind.__subclasses__():
        yield from (each, *kinds_of_rows(each))


def test_growing_counts_the_queues_of_the_bus() -> None:
    names = [each["name"] for each in json.loads((ROOT / "deploy/rabbitmq/rights.json").read_text())["queues"]]
    calls, waits = (sum(name.startswith(kind) for name in names) for kind in ("rpc-", "retry."))
    handlers = len(names) - calls - waits - len({"dead", "unheard"} & set(names))
    written = " ".join((HERE / "GROWING.md").read_text().split())
    assert f"The {len(names)} queues are {handlers} of handlers, {calls} of calls, {waits} that wait" in written
    counts = " | ".join(f"{len(names) + 3 * gateways:,}" for gateways in (2, 5, 417))
    assert f"| queues | {len(names)} + 3 · gateways | {counts} |" in written


def test_growing_names_a_shard_key_for_every_collection() -> None:
    assert [*capabilities(), Answers], "all stores are imported"
    written = (HERE / "GROWING.md").read_text()
    found = set()
    for each in kinds_of_rows():
        top, service, *_ = each.__module__.split(".")
        if top == "services" and hasattr(each, "collection"):
            found |= {f"{name}.{each.collection}" for name in (SERVICES if service == "chassis" else {service})}
    assert {"notifications.inbox", "members.accounts", "events.answers"} <= found
    assert [name for name in sorted(found) if f"`{name}`" not in written] == []
