"""The page on the bus: complete, true, and loading nothing from elsewhere."""

import html
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from flask.testing import FlaskClient

from deploy.local.platform import ROOT
from services.contracts.catalogue import CATALOGUE, EXCHANGE


class Page(HTMLParser):
    """Parses a page: its tags and attributes, its links, its ids and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()
        self.ids: list[str] = []
        self.said: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name in ("src", "href", "srcset", "action", "data"):
                self.links.add(value)
            if name == "id":
                self.ids.append(value)
        if tag not in ("meta", "link", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said.append(data)


@pytest.fixture
def page(client: FlaskClient) -> Page:
    answer = client.get("/bus")
    assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8")
    assert client.get("/bus/").text == answer.text
    made = Page(answer.text)
    assert made.open == []
    return made


def test_it_loads_nothing_from_elsewhere_and_runs_nothing(client: FlaskClient, page: Page) -> None:
    policy = client.get("/bus").headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self'; ")
    assert "script" not in policy
    assert not {"script", "style", "iframe", "form", "base"} & page.tags
    assert not [name for name in page.attributes if name.startswith("on") or name == "style"]
    assert page.links
    for link in page.links:
        assert link.startswith(("/", "#")), link
        assert not link.startswith("//"), link
        if link.startswith("/"):
            assert client.get(link).status_code == 200, link
    for part in ("bus.css", "icon.svg"):
        body = client.get(f"/bus/{part}").text.replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"url\(|@import|https?:|href", body), part


@pytest.mark.parametrize("name", ["bus.html", "../app.py", "%2e%2e/app.py", "nothing.css"])
def test_it_has_no_other_parts(client: FlaskClient, name: str) -> None:
    assert client.get(f"/bus/{name}").status_code == 404


def test_every_link_leads_to_a_place(page: Page) -> None:
    assert len(set(page.ids)) == len(page.ids)
    assert {link.removeprefix("#") for link in page.links if link.startswith("#")} == set(page.ids)


def test_it_shows_each_public_message_with_all_its_fields_and_its_example(page: Page, client: FlaskClient) -> None:
    text = client.get("/bus").text
    for message in CATALOGUE.values():
        if message.exchange != EXCHANGE:
            assert message.key not in text
            continue
        (article,) = re.findall(rf'<article id="{re.escape(message.key)}">(.*?)</article>', text, re.DOTALL)
        for name in message.fields:
            assert f"<td><code>{name}</code></td>" in article, name
        plain = html.unescape(re.sub(r"<[^>]+>", "", article))
        assert message.says in plain
        for value in message.example.values():
            if isinstance(value, str):
                assert f'"{value}"' in plain, value
    assert "audience.roles" in text
    assert "list (at most 6, each: one of coworker, hub_user," in text
    assert "identifier (UUID) or null" in text


def test_the_envelope_says_what_all_have_in_common(page: Page) -> None:
    text = "".join(page.said)
    assert "always 1.0" in text
    assert "always /hearth" not in text
    assert "causationid" in text
    assert "not always there" in text


def test_its_examples_are_those_of_the_page_for_partners(page: Page) -> None:
    text = "".join(page.said)
    said = (ROOT / "services" / "contracts" / "README.md").read_text()
    examples = re.findall(r"```(?:python|js)\n(.*?)```", said, re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        assert example in text
    assert "$AMQP_URI" not in text, "a command line shows the password"
