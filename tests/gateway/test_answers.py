"""The form of answers: tags and conditions, pages, spreadsheets, compression."""

import csv
import gzip
import io
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from gateway.answers import ROWS_A_CALL, WORTH_PRESSING
from gateway.app import Gateway
from gateway.bus.house import Habits
from services.ground.clock import now
from services.ground.identifiers import new_id
from tests.gateway.conftest import Sign
from tests.gateway.played import PlayedServices

ID = "018f2d70-1c3b-7b52-8d0e-3a9f5c6b7d81"
EVENT = f"/v1/events/{ID}"
SLY = "hi;=cmd|' /c calc'!A0; a - b"
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
        ('W/"3-0123456789abcdef"', ""),
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


def rows(answer: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))


def test_a_list_can_be_had_as_a_spreadsheet_with_all_its_rows(
    client: FlaskClient, services: PlayedServices, bearer: dict[str, str]
) -> None:
    pages: dict[str | None, Any] = {
        None: {"items": [{"id": "1", "name": 'Zoë "Z", of\nall', "languages": ["de", "sw"]}], "next": "two"},
        "two": {"items": [{"id": "2", "name": "=1+1", "languages": [], "version": -3, "what_i_do": SLY}], "next": None},
    }
    services.answers["browse"] = lambda kwargs: pages[kwargs["query"]["cursor"]]
    answer = client.get("/v1/members?limit=1&role=mentor", headers=bearer | {"Accept": "text/csv"})
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="members.csv"'
    head, first, second = rows(answer)
    assert dict(zip(head, first, strict=True))["name"] == 'Zoë "Z", of\nall'
    assert dict(zip(head, first, strict=True))["languages"] == "de; sw"
    found = dict(zip(head, second, strict=True))
    assert (found["name"], found["version"], found["pronouns"]) == ("'=1+1", "-3", ""), "no formula is run"
    assert found["what_i_do"] == "hi;'=cmd|' /c calc'!A0; a - b"
    assert [(asked["query"]["limit"], asked["query"]["role"]) for _, asked in services.asked] == [
        (ROWS_A_CALL, "mentor"),
        (ROWS_A_CALL, "mentor"),
    ]


def test_moments_in_a_spreadsheet_are_those_of_the_readers_clock(
    client: FlaskClient, services: PlayedServices, sign: Sign
) -> None:
    summer, winter = "2026-05-16T16:30:00.000Z", "2026-11-02T09:00:00.125Z"
    last = "9999-12-31T23:30:00.000Z"
    for zone, starts_at, ends_at, too_late in (
        ("", summer, winter, last),
        ("Europe/Malta", "2026-05-16T18:30:00.000+02:00", "2026-11-02T10:00:00.125+01:00", last.replace("Z", "+00:00")),
        ("Mars/Olympus", summer, winter, last),
    ):
        items = [{"starts_at": summer, "ends_at": winter, "title": summer}, {"starts_at": last, "ends_at": None}]
        services.answers["browse"] = {"items": items, "next": None}
        bearer = {"Authorization": f"Bearer {sign(new_id(now()), zoneinfo=zone or None)}"}
        head, first, second = rows(client.get("/v1/events", headers=bearer | {"Accept": "text/csv"}))
        found = dict(zip(head, first, strict=True))
        assert (found["starts_at"], found["ends_at"], found["title"]) == (starts_at, ends_at, summer)
        found = dict(zip(head, second, strict=True))
        assert (found["starts_at"], found["ends_at"]) == (too_late, "")


def sheets(sign: Sign) -> dict[str, str]:
    """Headers of somebody new who has chosen no zone and wants a spreadsheet."""
    return {"Authorization": f"Bearer {sign(new_id(now()))}", "Accept": "text/csv"}


def test_in_a_spreadsheet_a_reader_without_a_zone_has_the_hubs_but_what_may_be_a_day_stays_in_utc(
    app: Gateway,
    client: FlaskClient,
    services: PlayedServices,
    sign: Sign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app.house, "habits", Habits("en", "America/New_York"))
    midnight = "2026-05-16T00:00:00.000Z"
    services.answers["browse"] = {"items": [{"starts_at": midnight, "raised_at": midnight}], "next": None}
    head, row = rows(client.get("/v1/events", headers=sheets(sign)))
    assert dict(zip(head, row, strict=True))["starts_at"] == "2026-05-15T20:00:00.000-04:00"
    head, row = rows(client.get("/v1/feedback", headers=sheets(sign)))
    assert dict(zip(head, row, strict=True))["raised_at"] == midnight, "not the evening before"


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


def test_nested_parts_have_columns_of_their_own(
    client: FlaskClient, services: PlayedServices, bearer: dict[str, str]
) -> None:
    event = {"id": "1", "audience": {"everyone": False, "roles": ["mentor"], "tags": []}}
    services.answers["browse"] = {"items": [event], "next": None}
    head, row = rows(client.get("/v1/events", headers=bearer | {"Accept": "text/csv"}))
    found = dict(zip(head, row, strict=True))
    assert (found["audience.everyone"], found["audience.roles"]) == ("false", "mentor")
