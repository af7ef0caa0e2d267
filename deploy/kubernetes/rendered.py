"""Renders an overlay and lists its faults."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml
from jsonschema import Draft202012Validator

from deploy.kubernetes.foreign import SCHEMAS

HERE = Path(__file__).parent
OVERLAYS = ("small", "production")
OLDEST = "1.31"  # Kubernetes' version; the newest is the newest in the schemas

Object = dict[str, Any]


def render(overlay: str) -> list[Object]:
    """All objects of an overlay, by the kustomize within kubectl."""
    kubectl = str(Path(sys.executable).with_name("kubectl"))
    done = subprocess.run([kubectl, "kustomize", str(HERE / overlay)], check=True, capture_output=True, text=True)
    return list(yaml.safe_load_all(done.stdout))


def flaws(found: Object) -> list[str]:
    """A sentence for each part that the object's kind does not allow, unknown fields included."""
    name = f"{found['kind']} {found['metadata']['name']}"
    if schema := SCHEMAS.get(found["kind"]):
        return [f"{name}: {each.json_path}: {each.message}" for each in Draft202012Validator(schema).iter_errors(found)]
    problems = []
    for version in (OLDEST, kubernetes_validate.latest_version()):
        try:
            kubernetes_validate.validate(found, version, strict=True)
        except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
            problems.append(f"{name}, Kubernetes {version}: {error}")
    return problems
