"""The documents that the gateway serves."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from openapi_spec_validator import validate


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
        assert ("429" in operation["responses"]) == (operation["tags"] != ["platform"]), operation
    assert len({operation["operationId"] for operation in operations}) == len(operations)


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
