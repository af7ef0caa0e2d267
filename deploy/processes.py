"""The processes of the services, as they declare them, and a check of the places that must list them.

A process has a line in the Procfile, a container, a Deployment and a ScaledObject, all with its name, and a lock file.
"""

import json
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import yaml

from deploy.kubernetes.rendered import Object, render
from deploy.local.platform import GATEWAY, ROOT
from deploy.secrets import SERVICES

# Importing a service's entry point makes the whole process cooperative, so another process does it.
READ = """
import importlib, json, sys, warnings
warnings.simplefilter("ignore")
found = []
for service in sys.argv[1:]:
    entry = importlib.import_module(f"services.{service}.__main__")
    for each in entry.PROCESSES:
        names = [capability.name for capability in each.capabilities]
        whole = len(names) == len(entry.CAPABILITIES)
        found.append([service, each.name, names, each.extra, whole])
print(json.dumps(found))
"""


class Declared(NamedTuple):
    """A process of a service. `whole` is True if it serves the whole service."""

    service: str
    name: str
    capabilities: list[str]
    extra: str
    whole: bool

    @property
    def arguments(self) -> list[str]:
        """The arguments with which `python -m services.<service>` serves just these capabilities."""
        return [] if self.whole else [name.partition(".")[2] for name in self.capabilities]


def processes() -> list[Declared]:
    """All processes, as the services declare them."""
    command = [sys.executable, "-c", READ, *SERVICES]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return [Declared(*each) for each in json.loads(done.stdout)]


def flaws(declared: Sequence[Declared], handlers: Sequence[str]) -> list[str]:
    """The differences between the platform's descriptions and the declarations, a sentence for each.

    `handlers` are the queues of all handlers.
    """
    found = [*_served_once(declared), *_procfile(declared), *_compose(declared), *_packages(declared)]
    for overlay in ("small", "production"):
        found += [f"{overlay}: {flaw}" for flaw in _cluster(declared, render(overlay))]
    return [*found, *_scaling(declared, render("production"), handlers)]


def _served_once(declared: Sequence[Declared]) -> Iterator[str]:
    served = [capability for each in declared for capability in each.capabilities]
    yield from (f"{name} is served by two processes" for name in sorted(set(served)) if served.count(name) > 1)


def _procfile(declared: Sequence[Declared]) -> Iterator[str]:
    lines = (ROOT / "deploy/local/Procfile").read_text().splitlines()
    named = dict(line.split(": ", 1) for line in lines)
    wanted = {each.name: shlex.join(["python", "-m", f"services.{each.service}", *each.arguments]) for each in declared}
    yield from _same("Procfile", wanted, {name: line for name, line in named.items() if name != GATEWAY})


def _compose(declared: Sequence[Declared]) -> Iterator[str]:
    parts = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    ours = {name: part for name, part in parts.items() if part.get("build", {}).get("args", {}).get("SERVICE")}
    found = {
        name: [part["build"]["args"]["SERVICE"], part["image"].partition(":")[0], part.get("command", [])]
        for name, part in ours.items()
    }
    wanted = {each.name: [each.service, f"hearth/{each.extra}", each.arguments] for each in declared}
    yield from _same("docker-compose.yml", wanted, found)
    waits = set(parts[GATEWAY]["depends_on"]) & {*wanted, *found}
    yield from (f"docker-compose.yml: the gateway does not wait for {name}" for name in sorted(wanted.keys() - waits))


def _packages(declared: Sequence[Declared]) -> Iterator[str]:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for extra in sorted({each.extra for each in declared}):
        if extra not in extras:
            yield f"pyproject.toml has no extra {extra}"
        if not (ROOT / f"requirements/{extra}.txt").exists():
            yield f"there is no lock file requirements/{extra}.txt"


def _cluster(declared: Sequence[Declared], objects: Sequence[Object]) -> Iterator[str]:
    found = {}
    for each in objects:
        if each["kind"] == "Deployment" and each["metadata"]["labels"].get("app.kubernetes.io/component") == "service":
            (only,) = each["spec"]["template"]["spec"]["containers"]
            found[each["metadata"]["name"]] = [only["image"].partition(":")[0], only.get("args", [])]
    wanted = {each.name: [f"hearth/{each.extra}", each.arguments] for each in declared}
    yield from _same("Deployments", wanted, found)


def _scaling(declared: Sequence[Declared], objects: Sequence[Object], handlers: Sequence[str]) -> Iterator[str]:
    found = {
        each["metadata"]["name"]: sorted(
            trigger["metadata"]["queueName"] for trigger in each["spec"]["triggers"] if trigger["type"] == "rabbitmq"
        )
        for each in objects
        if each["kind"] == "ScaledObject" and each["metadata"]["name"] != GATEWAY
    }
    wanted = {
        each.name: sorted(queue for queue in handlers if queue.rpartition(".")[0] in each.capabilities)
        for each in declared
    }
    yield from _same("ScaledObjects", wanted, found)


def _same(where: str, wanted: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    for name in sorted(wanted.keys() | found.keys()):
        if name not in found:
            yield f"{where}: {name} is missing"
        elif name not in wanted:
            yield f"{where}: nobody declares {name}"
        elif wanted[name] != found[name]:
            yield f"{where}: {name} has {found[name]}, not {wanted[name]}"
