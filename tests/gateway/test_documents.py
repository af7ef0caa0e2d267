"""The documents that the gateway serves."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from gateway.app import Gateway
from gateway.document import named
from services.contracts.roles import ROLES


def test_the_openapi_document_is_valid_and_complete(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json
    validate(document)
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": "/"}]
    assert all(tag["description"] for tag in document["tags"])
    operations = [item[method] for item in document["paths"].values() for method in item if method != "parameters"]
    for operation in operations:
        assert operation["summary"].endswith("."), operation
        assert ("401" in operation["responses"]) or operation["security"] == [], operation
        unlimited = operation["operationId"] in ("livez", "readyz", "metrics")  # our own machines ask for these
        assert ("429" in operation["responses"]) != unlimited, operation
    assert len({operation["operationId"] for operation in operations}) == len(operations)


def test_every_route_is_described(app: Gateway) -> None:
    described = {re.sub(r"{\w+}", "", path) for path in app.extensions["openapi"]["paths"]}
    routes = {re.sub(r"<[^>]+>", "", rule.rule) for rule in app.url_map.iter_rules()}
    app_routes = {
        re.sub(r"<[^>]+>", "", rule.rule) for rule in app.url_map.iter_rules() if rule.endpoint.startswith("web.")
    }
    assert {
        route for route in routes if not route.startswith(("/docs", "/bus")) and route not in app_routes
    } == described


def test_who_may_use_a_route_is_said_for_programs_and_people(client: FlaskClient) -> None:
    paths = client.get("/openapi.json").json["paths"]
    asked = paths["/v1/feedback/{voice_id}"]["get"]
    assert asked["x-may"] == {"any": ["administrator", "host"], "own": sorted(ROLES)}
    assert asked["description"] == "For: administrator, host; every member (their own)."


def test_every_body_and_answer_has_an_example_that_fits(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json
    checked = 0
    for path, item in document["paths"].items():
        for operation in (each for name, each in item.items() if name != "parameters"):
            for part in (operation.get("requestBody", {}), *operation["responses"].values()):
                named = document["components"]["responses"].get(part.get("$ref", "").rpartition("/")[2], part)
                for content in named.get("content", {}).values():
                    schema = content["schema"] | {"components": document["components"]}
                    examples = content.get("examples", {"": {"value": content.get("example")}})
                    for example in examples.values():
                        Draft202012Validator(schema).validate(example["value"])
                        checked += 1
            for parameter in (*item.get("parameters", ()), *operation.get("parameters", ())):
                if "$ref" not in parameter:
                    known = {"example", "enum", "default"} & (parameter.keys() | parameter["schema"].keys())
                    assert known or parameter["schema"]["type"] == "boolean", (path, parameter)
    assert checked > 150


def test_a_field_that_always_comes_is_required(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json
    answers = [
        answer
        for item in document["paths"].values()
        for name, operation in item.items()
        if name != "parameters"
        for answer in operation["responses"].values()
    ]
    shown = named(document, answers) | named(document, document["components"]["responses"])
    assert {"Event", "Audience", "MemberCard", "Profile", "House", "Problem"} <= shown
    schemas = {name: document["components"]["schemas"][name] for name in shown}
    perhaps = {name: each["properties"].keys() - each.get("required", []) for name, each in schemas.items()}
    assert {name: each for name, each in perhaps.items() if each} == {"Problem": {"instance", "errors"}}


def test_an_answer_may_grow_and_a_request_may_not(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json
    schemas = document["components"]["schemas"]
    strict = {name for name, each in schemas.items() if each.get("additionalProperties") is False}
    assert {"Credentials", "EventDraft", "AudienceDraft", "ProfileChange"} <= strict
    assert not {"SignedIn", "Event", "EventPage", "Audience", "Profile", "Problem", "House"} & strict


def test_what_follows_from_a_declaration_is_described(client: FlaskClient) -> None:
    paths = client.get("/openapi.json").json["paths"]
    change, show = paths["/v1/events/{event_id}"]["patch"], paths["/v1/events/{event_id}"]["get"]
    assert {"$ref": "#/components/parameters/If-Match"} in change["parameters"]
    assert "412" in change["responses"]
    assert {"$ref": "#/components/parameters/If-None-Match"} in show["parameters"]
    assert {"304", "404"} <= set(show["responses"])
    assert "ETag" in show["responses"]["200"]["headers"]
    assert "text/csv" in paths["/v1/members"]["get"]["responses"]["200"]["content"]
    assert "412" not in paths["/v1/events"]["post"]["responses"], "what is made anew has no version yet"


def test_patterns_are_of_the_documents_dialect(client: FlaskClient) -> None:
    text = client.get("/openapi.json").text
    patterns = re.findall(r'"pattern":"(.*?)"', text)
    assert patterns
    assert all(pattern.startswith("^") and pattern.endswith("$") for pattern in patterns)


def test_public_routes_say_so(client: FlaskClient) -> None:
    paths = client.get("/openapi.json").json["paths"]
    assert paths["/v1/sessions"]["post"]["security"] == []
    assert "security" not in paths["/v1/me"]["get"]
    assert "401" in paths["/v1/me"]["get"]["responses"]


def test_the_page_loads_nothing_from_elsewhere(client: FlaskClient) -> None:
    page = client.get("/docs")
    assert client.get("/docs/").text == page.text
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    links = re.findall(r'(?:src|href)="(.*?)"', page.text)
    assert links
    for link in links:
        assert client.get(link).status_code == 200, link
    assert "validatorUrl: null" in client.get("/docs/start.js").text


@pytest.mark.parametrize("name", ["../app.py", "..%2fflask_swagger_ui.py", "%2e%2e/__init__.py", "nothing.js"])
def test_the_page_has_no_other_parts(client: FlaskClient, name: str) -> None:
    assert client.get(f"/docs/{name}").status_code == 404


def test_metrics_count_by_route(client: FlaskClient) -> None:
    client.get("/livez")
    client.get("/nowhere/1")
    text = client.get("/metrics").text
    assert 'hearth_http_requests_total{method="GET",route="/livez",status="200"}' in text
    assert 'route="unknown",status="404"' in text
    assert "/nowhere" not in text


def test_the_bus_is_described(client: FlaskClient) -> None:
    assert client.get("/asyncapi.json").json["asyncapi"] == "3.0.0"


def test_the_committed_documents_are_those_of_the_code() -> None:
    command = [sys.executable, "-m", "deploy.documents", "--check"]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
