"""A cluster as its objects describe it: which pods there are, and who may speak to whom."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from deploy.kubernetes.rendered import Object

NAME = "app.kubernetes.io/name"


@dataclass(frozen=True)
class Pod:
    """A pod, by what network policies know of it."""

    labels: dict[str, str]
    namespace: str = "hearth"
    ports: dict[str, int] = field(default_factory=dict)


def workloads(objects: list[Object]) -> dict[str, Object]:
    """The templates of the pods that we describe ourselves, by name."""
    kinds = ("Deployment", "StatefulSet")
    return {each["metadata"]["name"]: each["spec"]["template"] for each in objects if each["kind"] in kinds}


def pods(objects: list[Object]) -> dict[str, Pod]:
    """One pod of each name; those that operators make have the labels that say so."""
    made = {name: Pod({NAME: name}) for name in ("rabbitmq", "mongo")}
    for name, template in workloads(objects).items():
        ports = [port for container in template["spec"]["containers"] for port in container["ports"]]
        numbers = {port["name"]: port["containerPort"] for port in ports}
        made[name] = Pod(template["metadata"]["labels"], ports=numbers)
    return made


def may_speak(objects: list[Object], source: Pod, target: Pod, port: int) -> bool:
    """True if the policies of both sides allow a connection."""
    policies = [each["spec"] for each in objects if each["kind"] == "NetworkPolicy"]
    return _lets(policies, source, target, target, port, "Egress") and _lets(
        policies, target, source, target, port, "Ingress"
    )


def _lets(policies: list[Object], here: Pod, there: Pod, target: Pod, port: int, way: str) -> bool:
    if here.namespace != "hearth":
        return True
    mine = [each for each in policies if way in each["policyTypes"] and _selects(each["podSelector"], here.labels)]
    rules = [rule for each in mine for rule in each.get(way.lower(), [])]
    peers = "to" if way == "Egress" else "from"
    return not mine or any(
        (peers not in rule or any(_is(peer, there) for peer in rule[peers])) and port in _numbers(rule, target, port)
        for rule in rules
    )


def _is(peer: Object, pod: Pod) -> bool:
    namespaces = peer.get("namespaceSelector")
    if namespaces is None:
        near = pod.namespace == "hearth"
    else:
        near = _selects(namespaces, {"kubernetes.io/metadata.name": pod.namespace})
    return near and _selects(peer.get("podSelector", {}), pod.labels)


def _selects(selector: Object, labels: dict[str, str]) -> bool:
    exactly = selector.get("matchLabels", {}).items() <= labels.items()
    terms = selector.get("matchExpressions", [])
    assert all(term["operator"] == "In" for term in terms)
    return exactly and all(labels.get(term["key"]) in term["values"] for term in terms)


def _numbers(rule: Object, target: Pod, port: int) -> Iterator[int]:
    for each in rule.get("ports", [{"port": port}]):
        first: Any = each["port"]
        number = target.ports.get(first, 0) if isinstance(first, str) else first
        yield from range(number, each.get("endPort", number) + 1)
