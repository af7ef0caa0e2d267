"""Every screen in its widths and looks: nothing that axe finds, no sideways scroll, nothing too small to touch.

The pictures lie in `build/screens`, for people to look at.
"""

from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize

from deploy.local.platform import ROOT
from tests.journeys.test_story import publish
from tests.rig.processes import Platform
from tests.web.conftest import DESK, PHONE, SHOTS, User
from tests.web.test_journeys import Visit

AXE = ROOT / "gateway" / "web" / "node_modules" / "axe-core" / "axe.min.js"
NARROW = ViewportSize(width=320, height=640)
LOOKS: dict[str, dict[str, Any]] = {
    "phone-light": {"size": PHONE, "color_scheme": "light"},
    "phone-dark": {"size": PHONE, "color_scheme": "dark"},
    "narrow-german": {"size": NARROW, "color_scheme": "light", "locale": "de-DE"},
    "desk-light": {"size": DESK, "color_scheme": "light"},
    "desk-dark-forced": {"size": DESK, "color_scheme": "dark", "forced_colors": "active"},
    "phone-right-to-left": {"size": PHONE, "color_scheme": "light"},
    "desk-large-text": {"size": DESK, "color_scheme": "light"},
}
# Targets of at least 24 px (WCAG 2.2, 2.5.8) but for links in a sentence.
SMALL = """() => [...document.querySelectorAll('button, input, a, select, textarea')].filter(each => {
  const {width, height} = each.getBoundingClientRect();
  return width && (width < 24 || height < 24) && getComputedStyle(each).display !== 'inline' && !each.closest('.skip');
}).map(each => each.outerHTML.slice(0, 120))"""
LARGE_TEXT = """const sheet = new CSSStyleSheet();
sheet.replaceSync('html { font-size: 200% }');
document.adoptedStyleSheets = [sheet];"""
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def furnished(platform: Platform) -> dict[str, str]:
    """A member's world with something on every screen: the addresses of the screens by their names."""
    trainer = platform.join("Tariq Host", ("trainer", "host"), tags_have=["printing"])
    amara = platform.join("Amara Okafor", ("host",), tags_want=["printing"], what_i_do="Bookkeeping for co-operatives")
    event = publish(trainer, title="Café morning: how we print", audience={"everyone": True})
    voice = amara.post("/v1/feedback", {"text": "I need a quiet room for calls, please.\nEven a small one."})
    trainer.post(f"/v1/feedback/{voice['id']}/answers", {"text": "We will look for one this month."})
    amara.inbox(2)
    return {
        "email": amara.profile["email"],
        "today": "/",
        "inbox": "/notifications",
        "programme": "/events",
        "event": f"/events/{event['id']}",
        "say": "/feedback/new",
        "mine": "/feedback",
        "voice": f"/feedback/{voice['id']}",
        "claims": "/feedback/claims",
        "desk": "/desk",
        "people": "/members",
        "person": f"/members/{trainer.id}",
        "me": "/me",
        "nothing": "/events/nothing/here",
    }


@pytest.fixture(params=LOOKS)
def user(request: pytest.FixtureRequest, visit: Visit) -> User:
    look = dict(LOOKS[request.param])
    made = visit(look.pop("size"), reduced_motion="reduce", **look)
    if request.param.endswith("right-to-left"):
        made.page.add_init_script(
            "document.addEventListener('DOMContentLoaded', () => document.documentElement.dir = 'rtl')"
        )
    if request.param.endswith("large-text"):
        made.page.add_init_script(LARGE_TEXT)
    made.look = request.param
    return made


def test_every_screen(platform: Platform, user: User, furnished: dict[str, str]) -> None:
    screens = dict(furnished)
    email = screens.pop("email")
    for name, address in {"signing in": "/", "joining": "/members/new"}.items():
        _examine(user, name, user.goto(address))
    user.sign_in(platform.sign_in(email))
    for name, address in screens.items():
        _examine(user, name, user.goto(address))


def _examine(user: User, name: str, page: Page) -> None:
    page.wait_for_load_state("networkidle") if "sign" in name or "join" in name else page.wait_for_timeout(300)
    page.locator("#page h1").wait_for()  # the shell has one of its own
    page.locator(".bone").first.wait_for(state="hidden")
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}-{user.look}.png", full_page=False)
    page.evaluate(AXE.read_text())
    # In forced colours the system paints, and axe reads the colours of the style sheet.
    rules = {"color-contrast": {"enabled": "forced" not in user.look}}
    found = page.evaluate("rules => axe.run(document, {rules})", rules)
    told = [f"{each['id']}: {node['html'][:150]}" for each in found["violations"] for node in each["nodes"]]
    assert (name, told) == (name, [])
    assert len(found["passes"]) > 5, "axe looked at something"
    assert page.evaluate(SIDEWAYS) <= 0, f"{name} scrolls sideways"
    assert page.evaluate(SMALL) == [], name
    assert page.locator("h1").count() == 1, name
