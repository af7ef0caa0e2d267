"""What people do with the app, from a phone's width to a desk's, and by keyboard alone."""

import re
import secrets
from collections.abc import Callable

import pytest
from playwright.sync_api import ViewportSize, expect

from tests.journeys.test_story import publish
from tests.rig.processes import PASSWORD, Platform
from tests.web.conftest import DESK, PHONE, TABLET, User

Visit = Callable[..., User]
SIZES = pytest.mark.parametrize("size", [PHONE, TABLET, DESK], ids=["phone", "tablet", "desk"])


@SIZES
def test_a_member_says_something_and_hears_back_live(platform: Platform, visit: Visit, size: ViewportSize) -> None:
    words = f"I need a quiet room for calls. {secrets.token_hex(3)}"
    amara = visit(size).sign_in(platform.join("Amara Okafor"))
    amara.page.get_by_role("link", name="Say").click()
    amara.page.get_by_label("What would you like to say?").fill(words)
    amara.page.get_by_role("button", name="Send").click()
    expect(amara.page.get_by_text("Thank you. We have it.")).to_be_visible()
    amara.page.get_by_role("link", name="Inbox").click()
    expect(amara.page.get_by_role("heading", name="Inbox")).to_be_focused()

    host = visit(TABLET).sign_in(platform.join("Tariq Host", ("host",)))
    host.goto("/desk").get_by_role("link", name=re.compile(words)).click()
    host.page.get_by_label("Your answer").fill("We will look for one this month.")
    host.page.get_by_role("button", name="Answer").click()
    expect(host.page.get_by_text("Read by a person")).to_be_visible()

    line = amara.page.get_by_role("main").get_by_role("link", name=re.compile("We will look for one"))
    expect(line).to_be_visible()  # without a reload
    line.click()
    expect(amara.page.get_by_text("Tariq Host")).to_be_visible()


def test_a_voice_without_a_name_and_its_code_in_another_browser(platform: Platform, visit: Visit) -> None:
    amara = visit().sign_in(platform.join())
    amara.goto("/feedback/new").get_by_label("What would you like to say?").fill("The printer frightens me.")
    amara.page.get_by_label("Without my name").check()
    amara.page.get_by_role("button", name="Send").click()
    code = amara.page.locator("code").inner_text()
    other = visit(DESK)
    other.goto("/feedback/claims").get_by_label("Code").fill(f" {code} ")
    other.page.get_by_role("button", name="Look").click()
    expect(other.page.get_by_text("The printer frightens me.")).to_be_visible()
    expect(other.page.get_by_text("Received")).to_be_visible()


def test_somebody_joins_with_an_invitation_and_is_signed_in(platform: Platform, visit: Visit) -> None:
    email = f"ilse-{secrets.token_hex(4)}@hub.example"
    invitation = platform.administrator.post("/v1/invitations", {"email": email, "roles": ["coworker"]})
    ilse = visit()
    ilse.goto(f"/members/new?code={invitation['code']}").get_by_label("Name").fill("Ilse Brandt")
    ilse.page.get_by_label("Password").fill("a sentence is easiest to keep")
    ilse.page.get_by_role("button", name="Join").click()
    expect(ilse.page.get_by_role("heading", name="Today")).to_be_visible()
    ilse.page.reload()
    expect(ilse.page.get_by_role("heading", name="Today")).to_be_visible()


def test_an_event_is_seen_by_its_audience(platform: Platform, visit: Visit) -> None:
    trainer = platform.join("Tariq", ("trainer",))
    wanda = visit(DESK).sign_in(platform.join("Wanda"))
    event = publish(trainer, title="How we print <b>bold</b>", audience={"everyone": True})
    line = wanda.page.get_by_role("main").get_by_role("link", name="How we print <b>bold</b>").first
    expect(line).to_be_visible()
    line.click()
    expect(wanda.page).to_have_url(re.compile(f"/events/{event['id']}$"))
    expect(wanda.page.get_by_role("heading", name="How we print <b>bold</b>")).to_be_visible()
    expect(wanda.page.get_by_text("The café")).to_be_visible()


def test_tabs_share_a_session_and_end_it_together(platform: Platform, visit: Visit) -> None:
    amara = visit().sign_in(platform.join())
    tabs = [amara.tab() for _ in range(4)]
    for tab in tabs:
        tab.goto(f"{amara.url}/notifications")
    for tab in tabs:
        expect(tab.get_by_role("heading", name="Inbox")).to_be_visible()
    amara.goto("/me").get_by_role("button", name="Sign out").click()
    for tab in [amara.page, *tabs]:
        expect(tab.get_by_role("heading", name="Sign in")).to_be_visible()
    amara.page.reload()
    expect(amara.page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_no_token_is_where_a_script_could_find_it_again(platform: Platform, visit: Visit) -> None:
    amara = visit().sign_in(platform.join())
    stored = amara.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert "ey" not in stored.replace("hearth.member", "").replace("key", ""), stored
    cookies = {each["name"]: each for each in amara.context.cookies()}
    assert set(cookies) == {"__Host-hearth", "__Host-hearth-device"}
    for cookie in cookies.values():
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Strict")


def test_by_keyboard_alone(platform: Platform, visit: Visit) -> None:
    member = platform.join("Ilse Brandt")
    ilse = visit(DESK)
    page = ilse.goto("/")
    page.get_by_label("E-mail address").focus()
    page.keyboard.type(member.profile["email"])
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Today")).to_be_visible()
    page.keyboard.press("Home")
    _tab_to(ilse, "Say")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Say something")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("A ramp at the door, please.")
    _tab_to(ilse, "Send")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Thank you. We have it.")).to_be_visible()


def test_a_wrong_password_is_a_sentence_and_nothing_typed_is_lost(platform: Platform, visit: Visit) -> None:
    amara = visit()
    amara.goto("/").get_by_label("E-mail address").fill("amara@hub.example")
    amara.page.get_by_label("Password").fill("not the right one")
    amara.page.get_by_role("button", name="Sign in").click()
    expect(amara.page.get_by_role("alert")).to_contain_text("do not belong together")
    expect(amara.page.get_by_label("E-mail address")).to_have_value("amara@hub.example")


def test_words_survive_a_reload_and_an_unreachable_hub(platform: Platform, visit: Visit) -> None:
    amara = visit().sign_in(platform.join())
    amara.goto("/feedback/new").get_by_label("What would you like to say?").fill("Something long that I thought about.")
    amara.context.set_offline(True)
    amara.page.get_by_role("button", name="Send").click()
    expect(amara.page.get_by_role("alert")).to_contain_text("can't be reached")
    amara.context.set_offline(False)
    amara.page.reload()
    expect(amara.page.get_by_label("What would you like to say?")).to_have_value("Something long that I thought about.")
    amara.page.get_by_role("button", name="Send").click()
    expect(amara.page.get_by_text("Thank you. We have it.")).to_be_visible()


def test_german(platform: Platform, visit: Visit) -> None:
    besuch = visit(locale="de-DE")
    besuch.goto("/")
    expect(besuch.page.get_by_role("button", name="Anmelden")).to_be_visible()
    assert besuch.page.locator("html").get_attribute("lang") == "de"


def _tab_to(user: User, name: str) -> None:
    """Press Tab until the focus is on something of this name."""
    for _ in range(40):
        user.page.keyboard.press("Tab")
        if user.page.evaluate("document.activeElement.textContent.trim()") == name:
            return
    raise AssertionError(f"{name} is not reached by Tab")
