"""Each refusal says what would be right, in words of ours, whatever an operation is sent."""

import json
import re
from collections.abc import Iterator
from inspect import getmembers, isclass
from typing import Any

import pytest
from flask.testing import FlaskClient
from marshmallow import Schema, fields, validate

from tests.gateway.played import PlayedServices
from tests.gateway.test_routes import ID, operations
from tests.rig.recipes import OUR_PAGE

LONG = "x" * 5000
WRONG: list[Any] = [
    *(None, True, 0, -1, 1.5, 10**400, "", " ", "x", "x\x00y", LONG, "2027-03-01", "2027-13-01T09:00:00Z"),
    *("2027-03-01T09:00:00", "9999-12-31T23:59:59-03:00", "http:/x", "@", "#FFFFFF", "25:00", "{0} {x} {choices}"),
    *([], [None], [1], [LONG], ["x"] * 50, {}, {"x": 1}, {"everyone": None}, {"roles": None, "tags": "x"}),
]
JARGON = re.compile(r"datetime|string|integer|boolean|\baware\b|schema|\binput\b|regex|pattern|minimum|[{}]", re.I)


def library() -> list[re.Pattern[str]]:
    """All that marshmallow says by itself."""
    said = {*Schema._default_error_messages.values()}
    for _, kind in getmembers(fields, isclass):
        said |= {*getattr(kind, "default_error_messages", {}).values()}
    for _, kind in getmembers(validate, isclass):
        said |= {
            text for name, text in getmembers(kind) if re.match("default_message|message_(min|max|all|equal)", name)
        }
    more, less = "greater than(?: or equal to)?", "less than(?: or equal to)?"
    kinds = {re.escape("{min_op}"): more, re.escape("{max_op}"): less, re.escape("{{min}}"): ".*"}
    found = []
    for text in said:
        pattern = re.escape(text)
        for placeholder, stands in kinds.items():
            pattern = pattern.replace(placeholder, stands)
        found.append(re.compile(re.sub(r"(\\{)+\w+(!r)?(\\})+", ".*", pattern), re.DOTALL))
    return found


LIBRARY = library()


def bodies(example: Any) -> Iterator[Any]:
    """Wrong bodies: none at all, the example with a wrong value in each place, and with a field too many."""
    yield from WRONG
    yield from changed(example)
    yield {**example, "nothing": 1}


def changed(example: Any) -> Iterator[Any]:
    """The example with each wrong value in each place."""
    if isinstance(example, dict):
        for name, value in example.items():
            for wrong in (*WRONG, *changed(value)):
                yield {**example, name: wrong}
            yield {each: value for each, value in example.items() if each != name}
    if isinstance(example, list):
        for inner in (*WRONG, *(each for value in example for each in changed(value))):
            yield [inner]


def refusals(client: FlaskClient, services: PlayedServices, bearer: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """The refusals of all operations, each with its operation."""
    making = ("open", "open_for_browser", "refresh", "draft", "add", "submit", "register", "answer")
    services.answers = {method: {"id": ID} for method in making}
    for method, path, described in operations(client.get("/openapi.json").json):
        address, name = re.sub(r"{\w+}", ID, path), described["operationId"]
        for content in described.get("requestBody", {}).get("content", {}).values():
            for body in bodies(content["example"]):
                sent = {"data": json.dumps(body), "content_type": "application/json"}
                answer = client.open(address, method=method, headers=bearer | OUR_PAGE, **sent)
                yield from ((name, answer.json),) if answer.status_code >= 400 else ()
        if name == "stream_notifications":
            continue  # it reads all texts, and takes no wrong one amiss
        queries = {each["name"] for each in described.get("parameters", ()) if each.get("in") == "query"}
        for query in (f"{each}={value}" for each in {*queries, "nothing"} for value in WRONG if queries):
            answer = client.open(address, method=method, query_string=query, headers=bearer)
            yield from ((name, answer.json),) if answer.status_code >= 400 else ()


def test_nothing_that_the_library_says_is_ever_sent(
    client: FlaskClient, services: PlayedServices, bearer: dict[str, str]
) -> None:
    """Takes seconds: some six thousand requests."""
    sentences: dict[str, str] = {}
    for name, problem in refusals(client, services, bearer):
        assert problem["code"] in ("invalid", "bad_request"), (name, problem)
        sentences |= {each["says"]: name for each in problem.get("errors", [{"says": problem["detail"]}])}
    assert len(sentences) > 100
    for says, name in sentences.items():
        assert not any(each.fullmatch(says) for each in LIBRARY), (name, says)
        assert re.fullmatch(r'[A-Z].*\."?', says), (name, says)
        assert not JARGON.search(says), (name, says)


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/v1/events", {"starts_at": "tomorrow"}, "Write a moment with its zone, such as 2027-03-01T18:30:00+03:00."),
        ("/v1/events", {"title": "abc"}, "Write 4 to 140 characters."),
        ("/v1/events", {"touchpoint": "bar"}, "Choose one of: cafe, kitchenette, idea_board, "),
        ("/v1/events", {"link": "hub"}, "Write a web address, such as https://hub.example/print."),
        ("/v1/events", {"audience": []}, "Write an object with these fields: everyone, roles, tags."),
        ("/v1/events", {"who": 1}, "Nothing here is called so. The names are: title, description, "),
        ("/v1/feedback", {"text": 5}, 'Write text, such as "I need a quiet room for calls."'),
        ("/v1/invitations", {"email": "a@b.example", "roles": ["king"]}, "Choose one of: coworker, "),
        ("/v1/feedback", {}, 'This is needed, such as "I need a quiet room for calls."'),
        ("/v1/invitations", {"email": "amara"}, "Write an e-mail address, such as amara@hub.example."),
        ("/v1/invitations", {"roles": []}, "List 1 to 6 entries."),
    ],
)
def test_a_refusal_says_what_would_be_right(
    client: FlaskClient, bearer: dict[str, str], path: str, body: Any, says: str
) -> None:
    errors = client.post(path, json=body, headers=bearer).json["errors"]
    assert any(each["says"].startswith(says) for each in errors), errors


def test_a_plus_that_became_a_blank_is_a_plus(
    client: FlaskClient, services: PlayedServices, bearer: dict[str, str]
) -> None:
    """In a query `+` means a blank, and many programs send it as it is."""
    for query in ("2027-03-01T18:30:00+03:00", "2027-03-01T18:30:00.5+0300", "2027-03-01T18:30:00%2B03:00"):
        services.asked.clear()
        services.answers["browse"] = {"items": [], "next": None}
        answer = client.get(f"/v1/events?starts_after={query}", headers=bearer)
        assert answer.status_code == 200, answer.text
        assert services.asked[0][1]["query"]["starts_after"].isoformat().startswith("2027-03-01T15:30:00")
    assert client.get("/v1/events?starts_after=2027-03-01 18:30", headers=bearer).status_code == 422


@pytest.mark.parametrize(
    "typed", [" Yk0c-q3_ ", "Yk0c–q3_\n", "Yk0 c - q3\u00a0_", "\u200bYk0c\u2011q3\u00ad_", "Yk0c−q3_\t"]
)
@pytest.mark.parametrize(
    ("path", "method", "argument", "field", "rest"),
    [
        ("/v1/members", "register", "registration", "code", {"name": "N", "password": "p" * 12}),
        ("/v1/password-resets", "reset", "reset", "code", {"password": "p" * 12}),
        ("/v1/feedback/claims", "outcome", "claim", "claim_code", {}),
    ],
)
def test_a_code_is_the_same_code_however_it_was_copied(
    client: FlaskClient,
    services: PlayedServices,
    path: str,
    method: str,
    argument: str,
    field: str,
    rest: dict[str, str],
    typed: str,
) -> None:
    services.answers[method] = {"id": ID}
    client.post(path, json={field: typed, **rest})
    assert services.asked[0][1][argument][field] == "Yk0c-q3_"


def test_an_address_may_have_blanks_around_it(
    client: FlaskClient, services: PlayedServices, bearer: dict[str, str]
) -> None:
    services.answers["invite"] = {"id": ID}
    assert client.post("/v1/invitations", json={"email": " amara@hub.example "}, headers=bearer).status_code == 201
    assert services.asked[0][1]["invitation"]["email"] == "amara@hub.example"
