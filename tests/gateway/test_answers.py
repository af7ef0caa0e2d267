"""The form of answers: tags and conditions, pages, compression."""

import gzip
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from gateway.answers import WORTH_PRESSING
from tests.gateway.played import PlayedServices

ID = "018f2d70-1c3b-7b52-8d0e-3a9f5c6b7d81"
EVENT = f"/v1/events/{ID}"
PLAIN = {"Accept-Encoding": "identity"}


def tag(answer: Any) -> str:
    return str(answer.headers["ETag"])


def test_what_has_a_version_is_tagged_with_it(
    client: FlaskClient, services: PlayedServices, bearer: dict[str, str]
) -> None:
    services.answers["show"] = {"id": ID, "version": 7}
    shown = client.get(EVENT, headers=bearer)
    assert tag(shown).startswith('"7-')
    again = client.get(EVENT, headers=bearer | {"If-None-Match": tag(shown)})
    assert (again.status_code, again.data, tag(again)) == (304, b"", tag(shown))
    services.answers["show"] = {"id": ID, "version": 8}
    assert client.get(EVENT, headers=bearer | {"If-None-Match": tag(shown)}).status_code == 200
    services.answers["show"] = {"id": ID, "version": 7, "title": "shown otherwise by a later release"}
    assert client.get(EVENT, headers=bearer | {"If-None-Match": tag(shown)}).status_code == 200


def test_what_has_none_is_tagged_weakly(client: FlaskClient, services: PlayedServices, bearer: dict[str, str]) -> None:
    services.answers["unread"] = {"unread": 3}
    shown = client.get("/v1/notifications/unread", headers=bearer)
    assert tag(shown).startswith('W/"')
    again = client.get("/v1/notifications/unread", headers=bearer | {"If-None-Match": f'"other", {tag(shown)}'})
    assert again.status_code == 304
    assert again.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("given", "handed_on"),
    [
        ('"3-0123456789abcdef"', "3"),
        ('"3-0123456789abcdef-gzip"', "3"),
        ('"3-0123456789abcdef", "12-0123456789abcdef"', "3,12"),
        ("*", None),
        ('W/"3-0123456789abcdef"', "3"),
        ('W/"3-0123456789abcdef-gzip"', "3"),
        ('"3-0123456789abcdef-br"', "3"),
        ('"3-0123456789abcdef;gzip"', "3"),
        ('W/"0123456789abcdef"', ""),
        ('"3-0123456789abcdef-and more than that"', ""),
        ('"somebody else\'s"', ""),
        ("3", ""),
    ],
)
def test_changes_hand_on_the_versions_that_they_build_on(
    client: FlaskClient, services: PlayedServices, bearer: dict[str, str], given: str, handed_on: str | None
) -> None:
    services.answers |= {"change": {"version": 4}, "publish": {"version": 4}, "draft": {"id": ID, "version": 1}}
    changed = client.patch(EVENT, json={"place": "P"}, headers=bearer | {"If-Match": given})
    client.post(f"{EVENT}/publish", headers=bearer | {"If-Match": given})
    assert services.expected == [handed_on, handed_on]
    assert tag(changed).startswith('"4-')
    services.answers["show"] = {"id": ID, "version": 4}
    assert client.get(EVENT, headers=bearer | {"If-Match": given}).status_code == 200
    assert services.expected[2:] == [None], "it is about changes"


def test_the_next_page_is_linked(client: FlaskClient, services: PlayedServices, bearer: dict[str, str]) -> None:
    services.answers["browse"] = {"items": [], "next": "a&b"}
    first = client.get("/v1/members?role=mentor&cursor=x", headers=bearer)
    assert first.headers["Link"] == '</v1/members?role=mentor&cursor=a%26b>; rel="next"'
    services.answers["browse"] = {"items": [], "next": None}
    assert "Link" not in client.get("/v1/members", headers=bearer).headers


def test_long_answers_are_compressed_and_their_tags_tell(
    client: FlaskClient, services: PlayedServices, bearer: dict[str, str]
) -> None:
    services.answers["show"] = {"id": ID, "version": 7, "description": "word " * WORTH_PRESSING}
    plain = client.get(EVENT, headers=bearer | PLAIN)
    pressed = client.get(EVENT, headers=bearer | {"Accept-Encoding": "gzip, br"})
    assert pressed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(pressed.data) == plain.data
    assert len(pressed.data) < len(plain.data) / 10
    assert tag(plain) != tag(pressed)
    assert "Accept-Encoding" in plain.headers["Vary"]
    services.answers["publish"] = services.answers["show"]
    said = client.post(f"{EVENT}/publish", headers=bearer | {"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in said.headers, "answers to changes may hold secrets"
    services.answers["show"] = {"id": ID, "version": 7}
    assert "Content-Encoding" not in client.get(EVENT, headers=bearer | {"Accept-Encoding": "gzip"}).headers


def test_json_stays_json_for_everybody_else(
    client: FlaskClient, services: PlayedServices, bearer: dict[str, str]
) -> None:
    services.answers["browse"] = {"items": [], "next": None}
    for wanted in ("application/json", "*/*", "text/html", "application/json, text/csv;q=0.5", "nonsense"):
        answer = client.get("/v1/events", headers=bearer | {"Accept": wanted})
        assert answer.content_type == "application/json"
        assert "Accept" in answer.headers["Vary"].split(", ")
    assert client.get("/v1/me", headers=bearer | {"Accept": "text/csv"}).content_type == "application/json"
    assert orjson.loads(answer.data) == {"items": [], "next": None}
