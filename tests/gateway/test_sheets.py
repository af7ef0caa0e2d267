"""Lists as spreadsheets: all their rows, as a person reads them."""

import csv
import io
from typing import Any

import pytest
from flask.testing import FlaskClient

from gateway.app import Gateway
from gateway.bus.house import Habits
from gateway.sheets import ROWS_A_CALL
from services.contracts.errors import Forbidden
from services.ground.clock import now
from services.ground.identifiers import new_id
from tests.gateway.conftest import Sign
from tests.gateway.played import PlayedServices

SLY = "hi;=cmd|' /c calc'!A0; a - b"
SUMMER, WINTER, LAST = "2026-05-16T16:30:00.000Z", "2026-11-02T09:00:00.125Z", "9999-12-31T23:30:00.000Z"
HANNA = "018f2d6c-0d4e-7f21-8a5b-6c7d8e9fa0b1"
LISTS = ("members", "events", "offerings", "feedback", "audit")


def rows(answer: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))


def sheets(sign: Sign, **claims: Any) -> dict[str, str]:
    """Headers of somebody new who wants a spreadsheet."""
    return {"Authorization": f"Bearer {sign(new_id(now()), **claims)}", "Accept": "text/csv"}


def read(client: FlaskClient, path: str, headers: dict[str, str]) -> list[dict[str, str]]:
    """The rows of a spreadsheet, by the heads of their columns."""
    head, *found = rows(client.get(path, headers=headers))
    return [dict(zip(head, row, strict=True)) for row in found]


def test_a_list_can_be_had_as_a_spreadsheet_with_all_its_rows(
    client: FlaskClient, services: PlayedServices, sign: Sign
) -> None:
    pages: dict[str | None, Any] = {
        None: {"items": [{"id": "1", "name": 'Zoë "Z", of\nall', "languages": ["de", "sw"]}], "next": "two"},
        "two": {"items": [{"id": "2", "name": "=1+1", "languages": [], "version": -3, "what_i_do": SLY}], "next": None},
    }
    services.answers["browse"] = lambda kwargs: pages[kwargs["query"]["cursor"]]
    answer = client.get("/v1/members?limit=1&role=mentor", headers=sheets(sign))
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="members.csv"'
    head, *found = rows(answer)
    first, second = (dict(zip(head, row, strict=True)) for row in found)
    assert (first["ID"], first["Name"], first["Languages"]) == ("1", 'Zoë "Z", of\nall', "de; sw")
    assert (second["Name"], second["Version"], second["Pronouns"]) == ("'=1+1", "-3", ""), "no formula is run"
    assert second["What they do"] == "hi;'=cmd|' /c calc'!A0; a - b"
    assert {"Offers", "Looks for"} <= set(head)
    asked = [(each["query"]["limit"], each["query"]["role"], each["all_rows"]) for _, each in services.asked]
    assert asked == [(ROWS_A_CALL, "mentor", True)] * 2


def test_who_may_not_have_all_rows_gets_no_part_of_a_sheet(
    client: FlaskClient, services: PlayedServices, sign: Sign
) -> None:
    services.answers["browse"] = Forbidden("administrators_only", "Only administrators.")
    refused = client.get("/v1/members", headers=sheets(sign))
    assert (refused.status_code, refused.json["code"]) == (403, "administrators_only")
    services.answers["browse"] = {"items": [], "next": None}
    client.get("/v1/members", headers=sheets(sign) | {"Accept": "application/json"})
    assert services.asked[-1][1]["all_rows"] is False


@pytest.mark.parametrize(
    ("zone", "head", "starts", "ends", "too_late"),
    [
        ("", "UTC", "2026-05-16 16:30:00", "2026-11-02 09:00:00", "9999-12-31 23:30:00"),
        ("Europe/Malta", "Europe/Malta", "2026-05-16 18:30:00", "2026-11-02 10:00:00", "9999-12-31 23:30:00 UTC"),
        ("Mars/Olympus", "UTC", "2026-05-16 16:30:00", "2026-11-02 09:00:00", "9999-12-31 23:30:00"),
    ],
)
def test_moments_are_dates_and_times_on_the_readers_clock_which_the_head_names(
    client: FlaskClient,
    services: PlayedServices,
    sign: Sign,
    zone: str,
    head: str,
    starts: str,
    ends: str,
    too_late: str,
) -> None:
    items = [{"starts_at": SUMMER, "ends_at": WINTER, "title": SUMMER}, {"starts_at": LAST, "ends_at": None}]
    services.answers["browse"] = {"items": items, "next": None}
    first, second = read(client, "/v1/events", sheets(sign, zoneinfo=zone or None))
    assert (first[f"Starts at ({head})"], first[f"Ends at ({head})"], first["Title"]) == (starts, ends, SUMMER)
    assert (second[f"Starts at ({head})"], second[f"Ends at ({head})"]) == (too_late, "")


def test_a_reader_without_a_zone_has_the_hubs_but_what_may_be_a_day_stays_in_utc(
    app: Gateway,
    client: FlaskClient,
    services: PlayedServices,
    sign: Sign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app.house, "habits", Habits("en", "America/New_York"))
    midnight = "2026-05-16T00:00:00.000Z"
    services.answers["browse"] = {"items": [{"starts_at": midnight, "raised_at": midnight}], "next": None}
    (event,) = read(client, "/v1/events", sheets(sign))
    assert event["Starts at (America/New_York)"] == "2026-05-15 20:00:00"
    (voice,) = read(client, "/v1/feedback", sheets(sign))
    assert voice["Raised at (UTC)"] == "2026-05-16 00:00:00", "not the evening before"


def test_nested_parts_have_columns_of_their_own(client: FlaskClient, services: PlayedServices, sign: Sign) -> None:
    event = {"id": "1", "audience": {"everyone": False, "roles": ["mentor", "host"], "tags": []}}
    services.answers["browse"] = {"items": [event | {"host_id": HANNA, "host_name": "Hanna"}], "next": None}
    (row,) = read(client, "/v1/events", sheets(sign))
    assert (row["Audience: Everyone"], row["Audience: Roles"]) == ("no", "mentor; host")
    assert (row["Host ID"], row["Host"]) == (HANNA, "Hanna")


def test_answers_and_facts_are_plain_text(client: FlaskClient, services: PlayedServices, sign: Sign) -> None:
    texts = ("Soon.", "=1+1")
    answers = [{"text": text, "by": HANNA, "by_name": "Hanna", "at": SUMMER} for text in texts]
    services.answers["browse"] = {"items": [{"id": "1", "answers": answers, "anonymous": True}], "next": None}
    (voice,) = read(client, "/v1/feedback", sheets(sign, zoneinfo="Europe/Malta"))
    first, second = voice["Answers"].splitlines()
    assert first == f"At (Europe/Malta): 2026-05-16 18:30:00; By ID: {HANNA}; By: Hanna; Text: Soon."
    assert second.endswith("Text: '=1+1")
    assert voice["Anonymous"] == "yes"
    entry = {"id": "1", "before": {"roles": ["coworker"], "status": "active"}, "after": None}
    services.answers["browse"] = {"items": [entry | {"subject_name": "Bo", "actor_name": "Hanna"}], "next": None}
    (row,) = read(client, "/v1/audit", sheets(sign))
    assert (row["Before"], row["After"]) == ("roles: coworker; status: active", "")
    assert (row["Subject"], row["Actor"]) == ("Bo", "Hanna")


def test_no_sheet_has_json_in_it_or_two_columns_of_one_head(
    client: FlaskClient, services: PlayedServices, sign: Sign
) -> None:
    document = client.get("/openapi.json").json
    for name in LISTS:
        example = document["paths"][f"/v1/{name}"]["get"]["responses"]["200"]["content"]["application/json"]["example"]
        services.answers["browse"] = {"items": example["items"], "next": None}
        head, *found = rows(client.get(f"/v1/{name}", headers=sheets(sign)))
        assert head[0] == "ID"
        assert len(set(head)) == len(head), head
        assert all(each[0].isupper() and "_" not in each.partition(" (")[0] for each in head), head
        assert not [cell for row in found for cell in row if cell[:1] in ("[", "{") or '":' in cell], name
        assert len(found) == len(example["items"]) > 0
