"""`python -m deploy.documents [--check]`: write the documents that are generated and committed, or compare them.

`gateway/openapi.json` and `gateway/REFUSALS.md` come from the gateway's routes and the calls,
`services/contracts/calls/README.md` from the calls, `services/contracts/asyncapi.yaml` from the catalogue and the
handlers of all services, `deploy/rabbitmq/rights.json` from their declarations, announcements and handlers,
`services/notifications/tellings/README.md` from the tellings, `deploy/seeing/dashboard.json` from its description in
Python, `deploy/kubernetes/production/alerts.yaml` from the rules in `deploy/seeing`.
"""

import difflib
import importlib
import json
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import yaml

from deploy.capabilities import capabilities
from deploy.local.keys import Keys
from deploy.seeing import dashboard
from gateway import app, refusals
from gateway.config import Config
from gateway.document import whom
from services.contracts import asyncapi
from services.contracts.calling import CALLS, Call
from services.notifications.tellings.page import page

ROOT = Path(__file__).parents[1]


def openapi() -> dict[str, Any]:
    """The OpenAPI 3.1 document of the gateway."""
    with tempfile.TemporaryDirectory() as folder:
        keys = Keys(Path(folder))
        keys.prepare()
        gateway = app.create(Config(amqp_uri="amqp://", jwks_file=keys.jwks_file))
    found: dict[str, Any] = gateway.extensions["openapi"]
    return found


def bus() -> str:
    """The AsyncAPI 3.0 document of the messages that services announce and hear, in YAML."""
    with warnings.catch_warnings(action="ignore"):  # eventlet warns about its own future
        messaging = importlib.import_module("services.chassis.messaging")
        document = asyncapi.document(messaging.hearers(capabilities()))
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


ASKED = """# What can be asked

Made from the calls declared in this folder: who may make each, and its own codes of refusals, which
[REFUSALS.md](../../../gateway/REFUSALS.md) explains. On the bus a call is nameko's, with the call's name as its routing
key.
"""


def calls() -> str:
    """The calls to the capabilities and their callers, as a table in Markdown."""
    rows = [
        f"| `{each.target}` | {each.says} | {', '.join(f'`{name}`' for name in each.takes)} | {_whom(each)} "
        f"| {', '.join(f'`{code}`' for code in each.refuses)} |"
        for each in CALLS.values()
    ]
    return "\n".join([ASKED, "| call | what it does | takes | for | refuses |", "|---|---|---|---|---|", *rows]) + "\n"


def _whom(asked: Call) -> str:
    if not asked.signed_in:
        whose = "operators" if asked.operator else "everybody"
        return whose if asked.operation else f"{whose} on the bus"
    own = f"{whom(asked.own)} (their own)" if asked.own else ""
    return "; ".join(filter(None, [whom(asked.may), own]))


def rights() -> str:
    """The rights on the bus as RabbitMQ's definitions, one entry per line."""
    with warnings.catch_warnings(action="ignore"):
        found = importlib.import_module("deploy.rights").rights()
    parts = [
        f'  "{name}": [\n' + ",\n".join(f"    {json.dumps(each)}" for each in found[name]) + "\n  ]" for name in found
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def alerts() -> str:
    """The rules for alerts as an object for Prometheus' operator, which does not read files."""
    rules = yaml.safe_load((ROOT / "deploy/seeing/alerts.yaml").read_text(encoding="utf-8"))
    found = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "platform"},
        "spec": rules,
    }
    return yaml.safe_dump(found, sort_keys=False, width=110)


def main(arguments: list[str]) -> int:
    """Write the documents. With `--check`, show their differences instead, and return 1 if there are any."""
    differ, described = 0, openapi()
    made = {
        "gateway/openapi.json": json.dumps(described, indent=2, ensure_ascii=False) + "\n",
        "gateway/REFUSALS.md": refusals.page(described),
        "services/contracts/asyncapi.yaml": bus(),
        "services/contracts/calls/README.md": calls(),
        "services/notifications/tellings/README.md": page(),
        "deploy/rabbitmq/rights.json": rights(),
        "deploy/seeing/dashboard.json": json.dumps(dashboard.document(), indent=2, ensure_ascii=False) + "\n",
        "deploy/kubernetes/production/alerts.yaml": alerts(),
    }
    for name, text in made.items():
        file = ROOT / name
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        if "--check" not in arguments:
            file.write_text(text, encoding="utf-8")
        elif text != before:
            differ = 1
            lines = before.splitlines(keepends=True), text.splitlines(keepends=True)
            sys.stdout.writelines(difflib.unified_diff(*lines, f"{name} (committed)", f"{name} (now)"))
    if differ:
        print("These documents are out of date: python -m deploy.documents")
    return differ


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
