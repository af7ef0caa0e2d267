"""The gateway finds the language in which a member is addressed."""

import pytest
from flask.testing import FlaskClient

from gateway.app import Gateway
from gateway.bus.house import Habits
from tests.gateway.conftest import Sign
from tests.gateway.played import PlayedServices

PAGE = {"items": [], "next": None}


@pytest.mark.parametrize(
    ("wish", "language", "said"),
    [
        (None, None, "en"),
        ("", None, "en"),
        ("de", "de", "de"),
        ("DE-at, en;q=0.5", "de-AT", "de"),
        ("en;q=0.5, de;q=0.8", "de", "de"),
        ("fr, mt;q=0.9, de;q=0.1", "de", "de"),
        ("fr", None, "en"),
        ("de;q=0, en-US", "en-US", "en"),
        ("de;q=0", None, "en"),
        ("*, de;q=0.5", None, "en"),
        ("*;q=0.5, de", "de", "de"),
        (",;q=,de;q=nonsense", None, "en"),
        ("\x00\xff", None, "en"),
        ("de, " + "x" * 1000, None, "en"),  # nobody reads that
        ("fr, " * 10 + "de", None, "en"),
    ],
)
def test_the_first_wish_that_can_be_met(
    client: FlaskClient,
    services: PlayedServices,
    bearer: dict[str, str],
    wish: str | None,
    language: str | None,
    said: str,
) -> None:
    services.answers["browse"] = PAGE
    headers = bearer if wish is None else bearer | {"Accept-Language": wish}
    answer = client.get("/v1/notifications", headers=headers)
    assert answer.status_code == 200
    assert services.languages == [language]
    assert answer.headers["Content-Language"] == said
    assert answer.headers["Vary"] == "Accept-Language, Accept-Encoding"


def test_what_a_member_has_chosen_counts_more(client: FlaskClient, services: PlayedServices, sign: Sign) -> None:
    services.answers["browse"] = PAGE
    headers = {"Authorization": f"Bearer {sign(locale='de')}", "Accept-Language": "en"}
    assert client.get("/v1/notifications", headers=headers).headers["Content-Language"] == "de"


@pytest.mark.parametrize(("wish", "said"), [(None, "de"), ("fr", "de"), ("*", "de"), ("en", "en")])
def test_who_has_no_wish_reads_the_hubs_first_language(
    app: Gateway,
    client: FlaskClient,
    services: PlayedServices,
    bearer: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    wish: str | None,
    said: str,
) -> None:
    monkeypatch.setattr(app.house, "habits", Habits("de", "Europe/Malta"))
    services.answers["browse"] = PAGE
    headers = bearer if wish is None else bearer | {"Accept-Language": wish}
    assert client.get("/v1/notifications", headers=headers).headers["Content-Language"] == said


def test_only_sentences_have_a_language(client: FlaskClient, services: PlayedServices, bearer: dict[str, str]) -> None:
    services.answers["unread"] = {"unread": 0}
    answer = client.get("/v1/notifications/unread", headers=bearer | {"Accept-Language": "de"})
    assert "Content-Language" not in answer.headers
    assert answer.headers["Vary"] == "Accept-Encoding"
