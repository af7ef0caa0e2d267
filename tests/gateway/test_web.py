"""The app's files at the gateway: pressed as the browser takes them, kept for ever, and nothing from outside."""

import os
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from gateway.routes import web


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build of one script, and a file beside its folder."""
    assets = tmp_path / "web" / "assets"
    assets.mkdir(parents=True)
    for suffix in ("", ".br", ".gz"):
        (assets / f"app-1.js{suffix}").write_text(f"as {suffix or 'it is'}")
    (assets / "plain-1.js").write_text("as it is")
    (tmp_path / "secret").write_text("not for anybody")
    (tmp_path / "web" / "shell.html").write_text("<html lang=%LANGUAGE%><title>%HUB%</title>")
    monkeypatch.setattr(web, "FOLDER", tmp_path / "web")
    monkeypatch.setattr(web, "ASSETS", assets)
    return assets


@pytest.mark.parametrize(
    ("takes", "encoding", "body"),
    [
        ("gzip, br", "br", "as .br"),
        ("gzip", "gzip", "as .gz"),
        ("br;q=0, gzip;q=0", None, "as it is"),
        ("", None, "as it is"),
    ],
)
def test_a_file_is_pressed_as_the_browser_takes_it(
    client: FlaskClient, built: Path, takes: str, encoding: str | None, body: str
) -> None:
    answer = client.get("/assets/app-1.js", headers={"Accept-Encoding": takes})
    assert (answer.headers.get("Content-Encoding"), answer.text) == (encoding, body)
    assert answer.mimetype == "text/javascript"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Vary"] == "Accept-Encoding"


def test_a_file_that_is_not_pressed_is_sent_as_it_is(client: FlaskClient, built: Path) -> None:
    answer = client.get("/assets/plain-1.js", headers={"Accept-Encoding": "br"})
    assert (answer.headers.get("Content-Encoding"), answer.text) == (None, "as it is")


@pytest.mark.parametrize(
    "name", ["none.js", "../shell.html", "../../secret", "%2e%2e/%2e%2e/secret", "/etc/passwd", ""]
)
def test_nothing_else_is_a_file_of_the_app(client: FlaskClient, built: Path, name: str) -> None:
    assert client.get(f"/assets/{name}", follow_redirects=True).status_code == 404


def test_the_shell_is_that_of_the_latest_build(client: FlaskClient, built: Path) -> None:
    first = client.get("/events/some/where")
    assert first.text == "<html lang=en><title>Our hub</title>"
    assert client.get("/", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    shell = built.parent / "shell.html"
    shell.write_text("newer")
    os.utime(shell, (1, 1))
    assert client.get("/").text == "newer"
    shell.unlink()
    assert client.get("/").status_code == 503
