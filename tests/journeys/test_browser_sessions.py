"""Browsers sign in: their tokens are in cookies, only the hub's own pages may ask, and a lost answer is forgiven."""

import pytest
import requests

from tests.rig.processes import PASSWORD, Member, Platform
from tests.rig.recipes import OUR_PAGE

SESSION, DEVICE = "__Host-hearth", "__Host-hearth-device"
Cookies = dict[str, str]


class Browser:
    """A browser at a platform, without its cookie jar: which cookies it sends is up to the test."""

    def __init__(self, platform: Platform) -> None:
        self._url = f"{platform.url}/v1/sessions/browser"

    def sign_in(self, member: Member, cookies: Cookies | None = None, **headers: str) -> requests.Response:
        body = {"email": member.profile["email"], "password": PASSWORD}
        return requests.post(self._url, json=body, headers=_headers(cookies, headers), timeout=10)

    def refresh(self, cookies: Cookies, **headers: str) -> requests.Response:
        return requests.post(f"{self._url}/refresh", headers=_headers(cookies, headers), timeout=10)

    def sign_out(self, token: str, **headers: str) -> requests.Response:
        said = _headers(None, headers) | {"Authorization": f"Bearer {token}"}
        return requests.delete(self._url, headers=said, timeout=10)


def _headers(cookies: Cookies | None, given: dict[str, str]) -> dict[str, str]:
    named = {name.replace("_", "-"): value for name, value in given.items()}
    said = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}
    return (named or OUR_PAGE) | said


def kept(answer: requests.Response) -> Cookies:
    """The cookies that an answer sets, by name."""
    return {each.name: each.value or "" for each in answer.cookies}


@pytest.fixture
def browser(platform: Platform) -> Browser:
    return Browser(platform)


def test_the_answer_has_no_token_that_lasts_and_the_cookies_are_closed(platform: Platform, browser: Browser) -> None:
    answer = browser.sign_in(platform.join())
    assert answer.json().keys() == {"access_token", "token_type", "expires_in", "member_id"}
    assert kept(answer).keys() == {SESSION, DEVICE}
    for said in answer.raw.headers.getlist("Set-Cookie"):
        assert {part.strip() for part in said.split(";")[1:]} >= {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"}
        assert "Domain" not in said
    me = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert requests.get(f"{platform.url}/v1/me", headers=me, timeout=10).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec_Fetch_Site": "same-origin"}, 201),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "none"}, 403),
        ({"Origin": "{url}"}, 201),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Accept": "*/*"}, 403),
    ],
)
def test_only_the_hubs_own_pages_may_ask(
    platform: Platform, browser: Browser, headers: dict[str, str], status: int
) -> None:
    member = platform.join()
    said = {name: value.format(url=platform.url) for name, value in headers.items()}
    assert browser.sign_in(member, **said).status_code == status
    signed_in = browser.sign_in(member)
    assert browser.refresh(kept(signed_in), **said).status_code == status
    assert browser.sign_out(signed_in.json()["access_token"], **said).status_code == (204 if status == 201 else 403)
    if status == 403:
        assert browser.sign_in(member, **said).json()["code"] == "foreign_origin"


def test_a_device_stays_known_and_signing_out_deletes_the_session(platform: Platform, browser: Browser) -> None:
    member = platform.join()
    first = browser.sign_in(member)
    again = browser.sign_in(member, {DEVICE: kept(first)[DEVICE]})
    assert kept(again)[DEVICE] == kept(first)[DEVICE]
    out = browser.sign_out(again.json()["access_token"])
    assert out.status_code == 204
    assert f"{SESSION}=;" in out.headers["Set-Cookie"]
    assert DEVICE not in out.headers["Set-Cookie"]
    refused = browser.refresh(kept(again))
    assert (refused.status_code, refused.json()["code"]) == (401, "refresh_refused")
    assert browser.refresh(kept(first)).status_code == 201, "the other session goes on"


def test_without_a_cookie_nobody_is_signed_in(browser: Browser) -> None:
    for cookies in ({}, {SESSION: ""}, {SESSION: "x" * 5000}, {SESSION: "no.such"}):
        answer = browser.refresh(cookies)
        assert answer.status_code == 401, cookies
