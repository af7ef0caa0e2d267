"""A browser, and people who use it. Every page is watched: no console error, and no violation of its policy."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from deploy import web
from deploy.local.platform import ROOT
from tests.rig.installed import installed
from tests.rig.processes import PASSWORD, Member, Platform

PHONE, TABLET, DESK = (
    ViewportSize(width=width, height=height) for width, height in ((360, 740), (768, 1024), (1280, 800))
)
SHOTS = ROOT / "build" / "screens"
# A refusal of the hub is a sentence on the screen; the browser also logs its status.
REFUSED = "Failed to load resource"


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    """The app as it stands in the sources, and axe."""
    web.build(everything=True)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=installed("chromium", "chromium"), args=["--no-sandbox"])
        yield running
        running.close()


class User:
    """Somebody with a browser of their own, at the hub's address."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context, self.url, self.look = context, url, ""
        self.wrong: list[str] = []
        self.page = self.tab()

    def tab(self) -> Page:
        """One more tab of the same browser."""
        page = self.context.new_page()
        page.on(
            "console", lambda said: said.type == "error" and REFUSED not in said.text and self.wrong.append(said.text)
        )
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("dialog", lambda dialog: (self.wrong.append(f"a dialog: {dialog.message}"), dialog.dismiss()))
        return page

    def goto(self, path: str) -> Page:
        self.page.goto(self.url + path)
        return self.page

    def sign_in(self, member: Member) -> "User":
        self.goto("/")
        self.page.locator("[name=email]").fill(member.profile["email"])
        self.page.locator("[name=password]").fill(PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.locator(".bar").wait_for()
        return self


@pytest.fixture
def visit(browser: Browser, platform: Platform) -> Iterator[Callable[..., User]]:
    """Opens a browser for one more person. In the end each must have had a quiet console."""
    url, people = f"http://localhost:{platform.port}", list[User]()
    with ExitStack() as stack:

        def opened(size: ViewportSize = PHONE, **settings: Any) -> User:
            context = browser.new_context(viewport=size, **({"locale": "en-GB"} | settings))
            stack.callback(context.close)
            people.append(User(context, url))
            return people[-1]

        yield opened
        assert [wrong for user in people for wrong in user.wrong] == []
