"""A check of policies and alarms, which only the management API shows."""

import json
from collections.abc import Mapping
from typing import Any

from deploy.hub.finding import Finding, Findings
from deploy.hub.management import Management
from deploy.local.broker import DEFINITIONS


def check(url: str) -> Findings:
    """Compare the policies with the committed ones, and look for alarms."""
    api = Management(url)
    policies = {each["name"]: each for each in api.get("policies", api.vhost) or []}
    wrong = [name for name, policy in _committed().items() if not policy.items() <= policies.get(name, {}).items()]
    for name in wrong:
        how = "has been changed" if name in policies else "is missing"
        yield Finding(
            "wrong",
            f"policy {name}",
            f"{how}: queues have other limits than the platform counts on.",
            "Import deploy/rabbitmq/definitions.json (rabbitmqctl import_definitions).",
        )
    if not wrong:
        yield Finding("ok", "policies", "all are as committed.")
    if api.alarmed():
        yield Finding(
            "wrong", "alarms", "an alarm for memory or disk is on.", "Free memory or disk on the broker's machine."
        )
    else:
        yield Finding("ok", "alarms", "none.")


def _committed() -> Mapping[str, Mapping[str, Any]]:
    names = ("pattern", "apply-to", "definition", "priority")
    policies = json.loads(DEFINITIONS.read_text())["policies"]
    return {each["name"]: {name: each[name] for name in names} for each in policies}
